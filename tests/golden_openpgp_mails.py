"""The golden mails 200 to 223: how people and their programs protect a mail."""

from base64 import b64encode
from binascii import b2a_qp

from tests.gnupg_home import public
from tests.golden_openpgp import (
    HER,
    KEEPER,
    clearsigned,
    encrypted,
    joined,
    octets,
    run,
    sealed,
    sent,
    signed,
    text,
)
from tests.openpgp_mails import autocrypt

CRY = "He found my new flat and waits outside every evening.\nI am afraid to go out."
FOOTER = text("_______________________________________________\nstewards mailing list\nhttps://lists.example.net/")
VOUCHED = "Authentication-Results: mx.example.org; dmarc=pass header.from=example.net"
V1 = 'text/plain; charset=utf-8; protected-headers="v1"'


def hers(words: str = CRY, subject: str = "Someone follows me") -> bytes:
    """Make the entity that Thunderbird encrypts."""
    return text(words, V1, f"From: {HER}", "To: desk@example.org", f"Subject: {subject}")


def armored(words: str = CRY) -> str:
    """Make an armored message to the desk, LF line ends, to stand in a text."""
    return sealed(words.encode()).decode().replace("\r\n", "\n")


def key_file(name: str) -> bytes:
    """Make the part in which programs send a public key."""
    header = b'Content-Type: application/pgp-keys; name="OpenPGP_0xKEY.asc"\r\nContent-Disposition: attachment\r\n\r\n'
    return header + public(name).replace(b"\n", b"\r\n")


def page(armor: str) -> bytes:
    """Make of an armored message the HTML that a web mailer makes."""
    return text("<html><body><div>" + armor.replace("\n", "<br>\n&nbsp;") + "</div></body></html>", "text/html")


def twins(armor: str) -> bytes:
    """Say the same in text and in HTML."""
    return joined("alternative", text(armor), page(armor))


def smime(kind: str, name: str = "application/pkcs7-mime") -> bytes:
    """Make an S/MIME part; what is in it does not matter, since nobody opens it."""
    code = b64encode(bytes([0x30, 0x82, 1, 0, *range(200)]))
    header = f'Content-Type: {name}; {kind}name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
    return header.encode() + b"\r\n".join(code[start : start + 76] for start in range(0, len(code), 76)) + b"\r\n"


def damaged(ciphertext: bytes) -> bytes:
    """Change one letter near the end of the ciphertext; its checksum goes, since readers may pass over it."""
    lines = [line for line in ciphertext.split(b"\r\n") if not line.startswith(b"=")]
    lines[-4] = lines[-4][:10] + (b"A" if lines[-4][10:11] != b"A" else b"B") + lines[-4][11:]
    return b"\r\n".join(lines)


READING = {
    "200-thunderbird-encrypted-and-signed": (
        "Thunderbird encrypts and signs in one, puts the subject inside, and sends the key in an Autocrypt field.",
        lambda: sent(
            encrypted(sealed(hers(), sign="complainant")),
            f"Robin Vale <{HER}>",
            "...",
            VOUCHED,
            "User-Agent: Mozilla Thunderbird",
            f"Autocrypt: {autocrypt(HER, 'complainant')}",
        ),
    ),
    "201-webmail-encrypted-with-its-key-inside": (
        "A web mailer encrypts a multipart/mixed with the text and the sender's public key as an attachment.",
        lambda: sent(encrypted(sealed(joined("mixed", text(CRY), key_file("complainant"))))),
    ),
    "202-chat-program-with-its-key-in-the-inner-header": (
        "A chat program over mail has a dummy subject outside and the Autocrypt field in the protected header.",
        lambda: sent(
            encrypted(
                sealed(
                    text(CRY, V1, "Subject: Message from Robin", f"Autocrypt: {autocrypt(HER, 'complainant')}"),
                    sign="complainant",
                )
            ),
            HER,
            "[...]",
            "Chat-Version: 1.0",
        ),
    ),
    "203-signed-inside-encrypted": (
        "RFC 3156 section 6.1: a multipart/signed mail as a whole is encrypted; the signer is a configured keeper.",
        lambda: sent(encrypted(sealed(signed(text("close", V1, "Subject: [K7QD-3M9X-T]"), "keeper"))), KEEPER),
    ),
    "204-mailing-list-footer-beside-encrypted": (
        "A mailing list added its footer beside the encrypted part: the mail is encrypted only in part.",
        lambda: sent(joined("mixed", encrypted(sealed(text(CRY))), FOOTER), HER, "[stewards] help"),
    ),
    "205-encrypted-two-lists-deep": (
        "Two mailing lists wrapped the encrypted part one after the other.",
        lambda: sent(joined("mixed", joined("mixed", encrypted(sealed(text(CRY))), FOOTER), FOOTER), HER, "help"),
    ),
    "206-exchange-mangled": (
        "Exchange made multipart/mixed of multipart/encrypted and put an empty text in front.",
        lambda: sent(
            joined(
                "mixed",
                text(""),
                text("Version: 1", "application/pgp-encrypted"),
                octets("encrypted.asc", sealed(hers())),
            ),
        ),
    ),
    "207-exchange-mangled-types-lost": (
        "As 206, and both parts lost their types: only names and contents tell what they are.",
        lambda: sent(
            joined("mixed", text(""), octets("version.txt", b"Version: 1\r\n"), octets("encrypted.asc", sealed(hers())))
        ),
    ),
    "208-forwarded-encrypted-mail": (
        "An encrypted mail is attached to a mail in clear: that protection is another writer's, and nothing is opened.",
        lambda: sent(
            joined(
                "mixed",
                text("He sent me this, I cannot read it."),
                b"Content-Type: message/rfc822\r\n\r\n" + sent(encrypted(sealed(hers("secret"))), "eve@example.net"),
            )
        ),
    ),
    "209-gateway-disclaimer-around-encrypted": (
        "A gateway wrapped the encrypted part and added a notice in HTML.",
        lambda: sent(joined("mixed", encrypted(sealed(hers())), text("<p>Scanned by the gateway.</p>", "text/html"))),
    ),
    "210-inline-at-the-top": (
        "An armored message comes first, and words in clear after it.",
        lambda: sent(text(armored() + "\nSent from my phone")),
    ),
    "211-inline-in-the-middle": (
        "An armored message stands between words in clear; all is shown, in its order.",
        lambda: sent(text("Please read this:\n\n" + armored() + "\nI wait for your answer.")),
    ),
    "212-inline-several": (
        "Two armored messages with words between them: both are opened.",
        lambda: sent(text(armored("First he wrote.") + "\nand then\n\n" + armored("Then he came."))),
    ),
    "213-inline-with-html-twin": (
        "The same armored message in text and, with <br> and &nbsp;, in HTML: opened once, and not partial.",
        lambda: sent(twins(armored())),
    ),
    "214-inline-in-html-alone": (
        "A web mailer sent the armored message in HTML only.",
        lambda: sent(page(armored())),
    ),
    "215-inline-quoted-printable": (
        "A server put the armor into quoted-printable, with soft line breaks.",
        lambda: sent(
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
            + b2a_qp(armored().replace("\n", "\r\n").encode(), istext=True)
        ),
    ),
    "216-inline-base64": (
        "A server put the armor into base64.",
        lambda: sent(
            b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
            + b64encode(armored().encode())
        ),
    ),
    "217-encrypted-photo-beside-text": (
        "Words in clear, and an encrypted photo in binary: it counts as an attachment without the suffix.",
        lambda: sent(
            joined(
                "mixed",
                text("This is what he put on my door."),
                octets("door.jpg.gpg", run("--encrypt", "--recipient", "desk@example.org", stdin=b"\xff\xd8\xff" * 50)),
            )
        ),
    ),
    "218-encrypted-file-is-all-there-is": (
        "She wrote in an editor, encrypted the file and attached it to an empty mail: that is her message.",
        lambda: sent(joined("mixed", text(""), octets("letter.txt.asc", sealed(CRY.encode())))),
    ),
    "219-encrypted-file-with-its-name-inside": (
        "The attachment has no name of its own; the name of the file stands inside the encryption.",
        lambda: sent(
            joined(
                "mixed",
                text("see attached"),
                b"Content-Type: application/octet-stream\r\n\r\n" + sealed(bytes(9), "--set-filename", "log.bin"),
            )
        ),
    ),
    "220-clearsigned-whole": (
        "A cleartext-signed message and nothing else, by a configured keeper.",
        lambda: sent(
            b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + clearsigned("- please close\n", "keeper"), KEEPER
        ),
    ),
    "221-clearsigned-in-part": (
        "Words stand above the cleartext-signed message, and its signature says nothing about them.",
        lambda: sent(
            b"Content-Type: text/plain; charset=utf-8\r\n\r\nErase everything.\r\n\r\n"
            + clearsigned("Thank you.\n", "keeper"),
            KEEPER,
        ),
    ),
    "222-signed-not-encrypted-message": (
        "gpg -sa: an OpenPGP message that is signed and compressed, but not encrypted; its text is shown.",
        lambda: sent(
            b"Content-Type: text/plain; charset=utf-8\r\n\r\n"
            + run("--armor", "--sign", "--local-user", HER, stdin=CRY.encode())
        ),
    ),
    "223-quoted-armor": (
        "An answer quotes an encrypted mail: what stands behind > is not opened.",
        lambda: sent(text("Did you get this?\n\n" + "".join(f"> {line}\n" for line in armored().splitlines()))),
    ),
}
