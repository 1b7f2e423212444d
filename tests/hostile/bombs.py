"""OpenPGP whose packets are the attack: made by hand, since no program makes such messages.

See Also:
    RFC 9580 section 4.2 (packet headers), https://www.rfc-editor.org/rfc/rfc9580#section-4.2
"""

import zlib
from base64 import b64encode
from collections.abc import Callable

from tests.hostile.bodies import attached, body
from tests.hostile.structures import HEADER
from tests.openpgp_mails import certificate

_MB = 1024 * 1024
_SESSION_KEY, _SIGNATURE, _COMPRESSED, _LITERAL, _PROTECTED = 1, 2, 8, 11, 18
_ZLIB = b"\x02"


def packet(tag: int, content: bytes) -> bytes:
    """Make one packet with a length of four bytes."""
    return bytes([0xC0 | tag, 0xFF]) + len(content).to_bytes(4, "big") + content


def compressed(packets: bytes) -> bytes:
    """Put packets into a compressed one."""
    return packet(_COMPRESSED, _ZLIB + zlib.compress(packets, 1))


def zeros(megabytes: int) -> bytes:
    """Make a compressed packet that opens to a literal of this many megabytes, a thousand times its own size."""
    squeeze, block = zlib.compressobj(1), bytes(_MB)
    head = packet(_LITERAL, b"b\x00" + bytes(4))
    length = (6 + megabytes * _MB).to_bytes(4, "big")
    parts = [squeeze.compress(head[:2] + length + head[6:]), *(squeeze.compress(block) for _ in range(megabytes))]
    return packet(_COMPRESSED, _ZLIB + b"".join(parts) + squeeze.flush())


def nested(levels: int) -> bytes:
    """Put a compressed packet into a compressed packet, over and over."""
    packets = packet(_LITERAL, b"b\x00" + bytes(4) + b"hello")
    for _ in range(levels):
        packets = compressed(packets)
    return packets


def hidden_recipients(count: int) -> bytes:
    """Make a message to so many people who are not named: each session key has to be tried with every key."""
    point = b"\x01\x07\x40" + b"\x11" * 32
    one = packet(_SESSION_KEY, b"\x03" + bytes(8) + b"\x12" + point + b"\x30" + b"\x22" * 48)
    return one * count + packet(_PROTECTED, b"\x01" + bytes(200))


def armored(packets: bytes, title: bytes = b"MESSAGE") -> bytes:
    """Put an armor around packets, without its checksum, which is optional."""
    code = b64encode(packets)
    lines = b"\r\n".join(code[start : start + 76] for start in range(0, len(code), 76))
    return b"-----BEGIN PGP %s-----\r\n\r\n%s\r\n-----END PGP %s-----\r\n" % (title, lines, title)


def pgp_mime(message: bytes) -> bytes:
    """Make a multipart/encrypted mail (RFC 3156 section 4)."""
    kind = b'multipart/encrypted; protocol="application/pgp-encrypted"; boundary=b'
    parts = (
        b"--b\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n--b\r\n\r\n" + message + b"\r\n--b--\r\n"
    )
    return HEADER + b"Content-Type: " + kind + b"\r\n\r\n" + parts


def flooded_key(signatures: int) -> bytes:
    """Make a mail with the writer's key under so many signatures of nobody."""
    # Version 4, a certification, EdDSA, SHA-256, no subpackets, and two numbers that prove nothing.
    forged = packet(_SIGNATURE, b"\x04\x10\x16\x08" + bytes(6) + (b"\x01\x00" + b"\xaa" * 32) * 2)
    return with_key(bytes(certificate("complainant")) + forged * signatures)


def with_key(key: bytes) -> bytes:
    """Make a mail of the complainant with this key attached."""
    mail = attached(key, b"key.asc", b"application/pgp-keys")
    return mail.replace(b"writer@example.net", b"complainant@example.net")


BEGIN = b"-----BEGIN PGP MESSAGE-----\r\n"
END = b"-----END PGP MESSAGE-----\r\n"
BOMBS: dict[str, Callable[[], bytes]] = {
    "a message that opens to 200 MB": lambda: pgp_mime(armored(zeros(200))),
    "a message that opens to 200 MB, twice compressed": lambda: pgp_mime(armored(compressed(zeros(200)))),
    "a message in 1,000 messages": lambda: pgp_mime(armored(nested(1000))),
    "1 MB of beginnings of messages": lambda: body(BEGIN * (_MB // len(BEGIN))),
    "1 MB of ends of messages": lambda: body(BEGIN + END * (_MB // len(END))),
    "10,000 messages": lambda: body((BEGIN + b"\r\nAAAA\r\n" + END) * 10_000),
    "10,000 signed texts without signature": lambda: body(b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nx\r\n" * 10_000),
    "10,000 signed texts": lambda: body(
        (b"-----BEGIN PGP SIGNED MESSAGE-----\r\n\r\nx\r\n" + armored(b"\x00", b"SIGNATURE")) * 10_000
    ),
    "messages in messages": lambda: body(BEGIN * 20_000 + END * 20_000),
    "1 MB of blanks before a message": lambda: body(b" " * _MB + BEGIN),
    "beginnings with blanks": lambda: body((b"-----BEGIN PGP MESSAGE-----" + b" " * 2000 + b"x\r\n") * 500),
    "10,000 keys": lambda: body(armored(b"\x99\x00\x00", b"PUBLIC KEY BLOCK") * 10_000),
    "1 MB of dashes": lambda: body(b"-----BEGIN PGP " * 70_000),
    "a page of messages": lambda: body(b"<pre>" + BEGIN * 30_000, b"text/html"),
    "500 encrypted files": lambda: HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + (
        b"--b\r\nContent-Type: application/octet-stream; name=a.asc\r\n\r\n" + armored(nested(1)) + b"\r\n"
    ) * 500,
    "500 encrypted texts": lambda: HEADER + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + (
        b"--b\r\nContent-Type: text/plain\r\n\r\n" + armored(nested(1)) + b"\r\n"
    ) * 500,
    "a key with 7,000 signatures": lambda: flooded_key(7000),
    "a key with 100,000 signatures": lambda: flooded_key(100_000),
    "a keyring of 1 MB": lambda: with_key(bytes(certificate("deputy")) * 1500 + bytes(certificate("complainant"))),
    "1 MB of packets without content": lambda: pgp_mime(armored(packet(60, b"") * 170_000)),
    "1 MB of packets of keys": lambda: with_key(packet(6, b"") * 120_000),
}  # fmt: skip
