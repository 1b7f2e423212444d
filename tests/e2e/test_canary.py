"""Words planted in every field of a mail come out nowhere but in the encrypted notice."""

import asyncio
import base64
from email import message_from_bytes
from pathlib import Path

import pysequoia
import pytest

from tests.e2e.conftest import Build
from tests.e2e.house import House, notices, replies
from tests.gnupg_home import gpg
from tests.openpgp_mails import header, multipart, pgp_mime_encrypted
from tests.servers.sink import Delivery, Sink

ADDRESS = "zebra.address@example.net"
CANARIES = [
    "zebra.address", "Zebraname", "zebra-subject", "zebra-text", "zebra-file", "zebra-inside", "zebra-uid",
    "zebra-agent", "zebra-reply-to", "zebra-cc", "zebra-id",
]  # fmt: skip


def autocrypt() -> str:
    """Make an Autocrypt field whose key has a canary for a name."""
    key = pysequoia.Tsk.generate(f"zebra-uid <{ADDRESS}>", profile=pysequoia.Profile.RFC4880)
    keydata = base64.b64encode(bytes(key.extract_certificate())).decode()
    return f"addr={ADDRESS}; keydata={keydata}"


def fields() -> list[tuple[str, str]]:
    return [
        ("Reply-To", "zebra-reply-to@example.net"),
        ("Cc", "zebra-cc@example.net"),
        ("User-Agent", "zebra-agent"),
        ("References", "<zebra-id@example.net>"),
        ("Autocrypt", autocrypt()),
    ]


def body() -> bytes:
    text = b"Content-Type: text/plain\r\n\r\nHe follows me home and says zebra-text to me every single evening."
    attached = b'Content-Type: image/png; name="zebra-file.png"\r\nContent-Disposition: attachment\r\n\r\nzebra-inside'
    return b'Content-Type: multipart/mixed; boundary="=z"\r\n\r\n' + multipart("=z", (text, attached))


def plain() -> bytes:
    kind, _, content = body().partition(b"\r\n\r\n")
    outer = header(f"Zebraname <{ADDRESS}>", kind.decode()[14:], subject="zebra-subject", fields=fields())
    return outer + content


def encrypted() -> bytes:
    return pgp_mime_encrypted(f"Zebraname <{ADDRESS}>", body(), subject="zebra-subject", fields=fields())


def everything_in(*folders: Path) -> bytes:
    return b"\n".join(path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file())


def found_in(content: bytes) -> list[str]:
    return [word for word in CANARIES if word.lower().encode() in content.lower()]


def shown(delivery: Delivery) -> bytes:
    """Give a letter with its transfer encodings undone, and without the one line that must name the address."""
    mail = message_from_bytes(delivery.content)
    bodies = [part.get_payload(decode=True) or b"" for part in mail.walk() if not part.is_multipart()]
    head = [
        f"{name}: {value}".encode() for name, value in mail.items() if name not in ("To", "References", "In-Reply-To")
    ]
    return b"\n".join([*head, *(one for one in bodies if isinstance(one, bytes))])


@pytest.mark.parametrize("make", [plain, encrypted])
async def test_canaries_are_in_no_byte_that_we_write_or_send(furnish: Build, sink: Sink, make: object) -> None:
    house: House = furnish()
    assert callable(make)
    mail = make()
    house.receive(mail)
    temporary = house.folder / "tmp"
    temporary.mkdir()
    done = await asyncio.to_thread(house.fresh, "run", "--once", env={"TMPDIR": str(temporary)})
    listed = await asyncio.to_thread(house.fresh, "case", "list")
    assert list(temporary.iterdir()) == []
    assert found_in(everything_in(house.folder, house.home)) == []
    assert found_in(done.stdout + done.stderr + listed.stdout + listed.stderr) == []
    assert found_in(everything_in(house.dovecot.files_under(house.user))) == []
    assert replies(sink.deliveries)
    assert [found_in(shown(one)) for one in sink.deliveries] == [[]] * len(sink.deliveries)


async def test_the_keeper_reads_them_all_in_her_notice(furnish: Build, sink: Sink, people_home: Path) -> None:
    house: House = furnish()
    house.receive(plain())
    await asyncio.to_thread(house.mailroom, "run", "--once")
    [notice] = notices(sink.deliveries)
    opened = gpg(people_home, "--decrypt", stdin=notice.content)
    assert {"zebra.address", "zebra-subject", "zebra-text", "zebra-file"} <= set(found_in(opened))
