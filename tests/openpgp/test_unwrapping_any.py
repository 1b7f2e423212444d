from hypothesis import example, given
from hypothesis import strategies as st

from mailroom.flow.unwrapping import MOST_RUNS, unwrap
from mailroom.mail.body import read_body
from mailroom.mail.entity import read_entity
from mailroom.mail.openpgp_keys import attached_keys
from mailroom.mail.protected import protected, without_legacy_display
from tests.openpgp.locks import ARMOR, Lock, mixed, one_signature

PIECES = [
    b"\r\n", b"\n", b"\r", b"--", b"--outer", b"--outer--", b"Content-Type: multipart/signed; boundary=outer\r\n",
    b"Content-Type: multipart/encrypted; boundary=outer; protocol=\r\n",
    b"Content-Type: multipart/mixed; boundary=outer",
    b"Content-Type: application/pgp-encrypted\r\n\r\n", b"Content-Type: application/pgp-signature\r\n\r\n",
    b"Content-Type: text/html\r\n", b"Content-Transfer-Encoding: base64\r\n", b"-----BEGIN PGP MESSAGE-----\n",
    b"-----END PGP MESSAGE-----\n", b"-----BEGIN PGP SIGNED MESSAGE-----\n", b"-----END PGP SIGNATURE-----\n",
    b'Content-Type: text/plain; protected-headers="v1"; hp=\xff\r\nSubject: =?x?b?\xff?=\r\n\r\n',
    b"<br>", b"\xff", b"From ",
    b"hp-legacy-display=1; hp=clear", b"header-protection-legacy-display", b"</div><div", b"smime.p7m", b"Version: 1",
    ARMOR,
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=20), max_size=20).map(b"".join))
@example(b"")
@example(b"From ")
def test_any_bytes_are_judged_without_raising(content: bytes) -> None:
    lock = Lock(content)
    found = unwrap(read_entity(content), lock)
    assert len(lock.ciphertexts) + len(lock.signed) + len(lock.armored) <= MOST_RUNS
    if found is not None:
        read_body(found.root)
    protected(read_entity(content))
    without_legacy_display(read_entity(content))
    attached_keys(content)


@given(st.text(alphabet=st.characters(exclude_characters="\r\x00"), max_size=200))
def test_signed_bytes_come_back_as_they_were(text: str) -> None:
    body = text.replace("\n", "\r\n").encode("utf-8", "replace")
    inner = b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body
    if b"--outer" in inner:
        return
    signature = b"Content-Type: application/pgp-signature\r\n\r\nx"
    assert one_signature(mixed(inner, signature, kind="multipart/signed"))[0] == inner
