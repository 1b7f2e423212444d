"""Whole mails of nested parts with any charset, encoding and defect, opened with a keyring of the attacker."""

import asyncio
import json
from base64 import b64encode
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz.promises import check_opened
from fuzz.targets import attacked_reader
from mailroom.cli.bench import Bench, bare_bench
from mailroom.mail.message import Arrival, RawMail

CHARSETS = ["utf-8", "utf-7", "utf-16", "latin-1", "koi8-r", "gb2312", "iso-2022-jp", "iso-2022-kr", "hz", "x-none", ""]
TEXTS = st.one_of(
    st.text(max_size=80),
    st.sampled_from([
        "-----BEGIN PGP MESSAGE-----\n\nw\n-----END PGP MESSAGE-----", "-----BEGIN PGP MESSAGE-----", "> quoted",
        "On 1 May 2024, a@example.org wrote:", "begin 644 a\n#86%A\nend", "<p hidden>no</p><table><tr><td>yes", "STOP",
        "-----BEGIN PGP SIGNED MESSAGE-----\n\nx\n-----BEGIN PGP SIGNATURE-----\n\nw\n-----END PGP SIGNATURE-----",
    ]),
)  # fmt: skip
ENCODINGS = ["7bit", "8bit", "base64", "quoted-printable", "x-uuencode", "nonsense"]
LEAVES = ["text/plain", "text/html", "text/plain; format=flowed", "application/octet-stream", "application/pgp-keys",
          "application/ms-tnef", "message/rfc822", "message/delivery-status", "application/pgp-encrypted",
          "application/pgp-signature", "application/pkcs7-mime", ""]  # fmt: skip
TREES = ["mixed", "alternative", "related", "signed", "report", "digest", "form-data",
         'encrypted; protocol="application/pgp-encrypted"', 'signed; protocol="application/pgp-signature"']  # fmt: skip
FIELDS = st.lists(
    st.sampled_from([
        b"From: Writer <writer@example.net>", b"From: b@example.org", b"Subject: =?utf-8?b?4oI=?= x", b"Date: now",
        b"Content-Disposition: attachment; filename*0*=utf-8''%e2; filename=a.asc",
        b"Autocrypt: addr=writer@example.net", b"Auto-Submitted: auto-replied (x)",
        b"References: <a@example.org> <b", b"X-Spam-Flag: YES", b": nameless",
        b"Authentication-Results: mx.example.org; dmarc=pass header.from=example.net", b" continued",
    ]),
    max_size=5,
)  # fmt: skip


@st.composite
def leaves(draw: st.DrawFn) -> bytes:
    """Make a part without parts; its label and its bytes need not agree."""
    text, wrote, said = draw(TEXTS), draw(st.sampled_from(CHARSETS)), draw(st.sampled_from(CHARSETS))
    content = text.encode(wrote if wrote not in {"", "x-none"} else "utf-8", "replace")
    encoding = draw(st.sampled_from(ENCODINGS))
    coded = b64encode(content) if encoding == "base64" and draw(st.booleans()) else content
    kind = f"Content-Type: {draw(st.sampled_from(LEAVES))}; charset={said}\r\nContent-Transfer-Encoding: {encoding}"
    return b"\r\n".join([*draw(FIELDS), kind.encode(), b"", coded])


def multiparts(parts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Put parts into a multipart; the last boundary may be missing, and all may be the same."""
    return st.builds(
        _multipart, st.lists(parts, max_size=4), st.sampled_from(TREES), FIELDS, st.integers(0, 3), st.booleans()
    )


def _multipart(parts: list[bytes], kind: str, fields: list[bytes], number: int, closed: bool) -> bytes:
    mark = f"--b{number}".encode()
    head = b"\r\n".join([*fields, f"Content-Type: multipart/{kind}; boundary=b{number}".encode(), b"", b""])
    return head + b"".join(mark + b"\r\n" + part + b"\r\n" for part in parts) + (mark + b"--\r\n") * closed


MAILS = st.recursive(leaves(), multiparts, max_leaves=12)


@pytest.fixture(scope="module")
def bench() -> Bench:
    """What `explain` works with when there is no configuration, but for the keyring."""
    with bare_bench() as bare:
        return replace(bare, reader=attacked_reader())


@given(MAILS)
def test_any_tree_of_parts_is_opened_and_keeps_its_promises(mail: bytes) -> None:
    opened = attacked_reader().open(RawMail(Arrival("INBOX", 1, 1, len(mail)), mail))
    check_opened(opened, len(mail))


@settings(max_examples=30)
@given(mail=MAILS)
def test_any_tree_of_parts_is_explained_as_json(bench: Bench, mail: bytes) -> None:
    told = asyncio.run(bench.explain(mail))
    assert json.loads(json.dumps(told, ensure_ascii=False).encode()) == told
