"""An answer is never weaker protected than the question, and a known key gives way only to one with a voucher."""

from email import message_from_bytes
from pathlib import Path
from typing import Any

import pysequoia
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailroom.flow import answering
from mailroom.flow.desk import Guide
from mailroom.flow.filing import Case, Letter
from mailroom.flow.opening import Reader
from mailroom.flow.routing import reply_key
from mailroom.mail.message import Arrival, AuthenticationState, Opened, RawMail
from mailroom.mail.openpgp_keys import armored
from mailroom.mail.openpgp_keys import fingerprint as fingerprint_of
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.sequoia import Sequoia
from tests.flow.conftest import FORGED, OUR_MAIL_SERVER, VOUCHED, text_of
from tests.flow.test_answers import OWN, REFERENCE, answer, desk, office, texts
from tests.gnupg_home import fingerprint, public, secret
from tests.openpgp_mails import header, multipart

__all__ = ["desk", "office", "texts"]

HER = "complainant@example.net"
WORRY = b"Content-Type: text/plain\r\n\r\nSomeone at my club follows me and takes pictures of me.\r\n"
DESK = pysequoia.Cert.from_bytes(public("desk"))
KNOWN = pysequoia.Tsk.from_bytes(secret("complainant"))
NEW = pysequoia.Tsk.generate(HER)
OURS = {"known": KNOWN, "new": NEW}
UNUSABLE = ("expired", "revoked", "sign-only")
HEADERS: dict[AuthenticationState, bytes] = {"pass": VOUCHED, "fail": FORGED, "none": b""}


@pytest.fixture(scope="module")
def reader(desk_home: Path, guide: Guide) -> Reader:
    keyring, sequoia = GnuPG(desk_home, fingerprint("desk"), None, 1_000_000), Sequoia()
    find, signed_by = sequoia.certificate_for, sequoia.signed_by
    return Reader(keyring, find, OWN, frozenset(), OUR_MAIL_SERVER, guide.lexicon, signed_by)


def certificate(name: str) -> bytes:
    return bytes(OURS[name].extract_certificate() if name in OURS else pysequoia.Cert.from_bytes(public(name)))


def sender_of(offered: str | None) -> str:
    return f"{offered}@example.net" if offered in UNUSABLE else HER


def mail(how: str, signed: str | None, offered: str | None) -> bytes:
    """Make a mail in clear, encrypted to the desk, or so that the desk cannot open it; a key may come with it."""
    signer = OURS[signed].signer() if signed else None
    part = b"Content-Type: application/pgp-keys\r\n\r\n" + (armored(certificate(offered)) if offered else b"")
    inner = WORRY
    if offered:
        inner = b'Content-Type: multipart/mixed; boundary="=k"\r\n\r\n' + multipart("=k", (WORRY, part))
    kind, body = inner.split(b"\r\n\r\n", 1)
    if how != "clear":
        to = [DESK] if how == "opens" else [pysequoia.Cert.from_bytes(public("rsa"))]
        ciphertext = pysequoia.encrypt(inner, to, signer=signer).replace(b"\n", b"\r\n")
        version = b"Content-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n"
        octets = b"Content-Type: application/octet-stream\r\n\r\n" + ciphertext
        kind, body = b'Content-Type: multipart/encrypted; boundary="=e"', multipart("=e", (version, octets))
    elif signer:
        signature = pysequoia.sign(signer, inner, mode=pysequoia.SignatureMode.DETACHED).replace(b"\n", b"\r\n")
        proof = b"Content-Type: application/pgp-signature\r\n\r\n" + signature
        kind, body = b'Content-Type: multipart/signed; boundary="=s"', multipart("=s", (inner, proof))
    return header(sender_of(offered), kind.decode().partition(": ")[2]) + body


def opened_by(letter: Letter, key: pysequoia.Tsk) -> bool:
    ciphertext: Any = message_from_bytes(letter.content).get_payload()
    try:
        pysequoia.decrypt(ciphertext[1].get_payload(decode=True), key.decryptor())
    except RuntimeError:
        return False
    return True


def read(reader: Reader, content: bytes) -> Opened:
    return reader.open(RawMail(Arrival("INBOX", 1, 1, len(content)), content))


EVERY = st.fixed_dictionaries(
    {
        "how": st.sampled_from(["clear", "opens", "does not open"]),
        "signed": st.sampled_from([None, "known", "new"]),
        "offered": st.sampled_from([None, "known", "new", *UNUSABLE]),
        "authentication": st.sampled_from(list(HEADERS)),
        "stored": st.sampled_from([None, "known"]),
    }
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(EVERY)
def test_the_answer_is_never_weaker_than_the_question(
    desk: Any, reader: Reader, texts: dict[str, set[str]], every: dict[str, Any]
) -> None:
    found = read(reader, HEADERS[every["authentication"]] + mail(every["how"], every["signed"], every["offered"]))
    stored = certificate("known") if every["stored"] else None
    case = Case(REFERENCE, b"key", 1, address=found.message.sender, reply_key=stored)
    letter = answer(desk, found, case)
    if letter is None:
        assert every["authentication"] == "fail"
        return
    if message_from_bytes(letter.content).get_content_type() == "multipart/encrypted":
        assert opened_by(letter, OURS[expected(every) or ""])
    elif every["how"] != "clear":
        assert expected(every) is None
        assert text_of(letter) in texts["ask_key"] | texts["cannot_open"]
        assert b"application/pgp-keys" in letter.content


def expected(every: dict[str, Any]) -> str | None:
    """Name the key that must be used: the known one, unless somebody vouches for another."""
    inside = every["how"] == "does not open"
    offered = every["offered"] if every["offered"] in OURS and not inside else None
    signed = every["signed"] == offered and every["authentication"] == "none"
    vouched = every["authentication"] == "pass" or signed
    return str(offered) if offered and (vouched or not every["stored"]) else every["stored"]


@pytest.mark.parametrize("how", ["clear", "opens"])
@pytest.mark.parametrize("signed", [None, "known", "new"])
@pytest.mark.parametrize("authentication", ["pass", "fail", "none"])
def test_a_key_is_vouched_for_by_our_server_or_by_its_own_signature(
    reader: Reader, how: str, signed: str | None, authentication: AuthenticationState
) -> None:
    found = read(reader, HEADERS[authentication] + mail(how, signed, "new"))
    assert found.sender_key == certificate("new")
    assert found.key_vouched is (authentication == "pass" or (authentication == "none" and signed == "new"))


def test_a_signature_over_a_part_vouches_for_no_key(reader: Reader) -> None:
    whole = mail("clear", "new", "new")
    kind = b"Content-Type: multipart/signed"
    begin = whole.index(kind)
    added = WORRY.replace(b"Someone", b"Nobody")
    wrapped = whole[:begin] + b'Content-Type: multipart/mixed; boundary="=w"\r\n\r\n'
    assert read(reader, whole).key_vouched
    assert not read(reader, wrapped + multipart("=w", (added, whole[begin:]))).key_vouched


def test_another_key_is_told_to_the_keeper_and_used_only_with_a_voucher(reader: Reader) -> None:
    case = Case(REFERENCE, b"key", 1, address=HER, reply_key=certificate("known"))
    vouched, unvouched = (read(reader, start + mail("opens", None, "new")) for start in (VOUCHED, b""))
    assert reply_key(vouched, case) == certificate("new")
    assert reply_key(unvouched, case) == certificate("known")
    [changed], [tried] = (answering.key_remarks(one, case) for one in (vouched, unvouched))
    assert changed.startswith("her OpenPGP key changed")
    assert "nobody vouches for it" in tried
    assert answering.key_remarks(read(reader, VOUCHED + mail("opens", None, "known")), case) == []


@pytest.mark.parametrize("name", ["complainant", "rsa4096", "nistp256", "brainpool", "dsa-elgamal", "utf-8-name"])
def test_fingerprint_of_a_certificate_is_that_of_gpg(name: str) -> None:
    assert fingerprint_of(certificate(name)) == fingerprint(name)


def test_fingerprint_of_a_v6_certificate_is_that_of_sequoia() -> None:
    v6 = pysequoia.Tsk.generate("v6@example.net", profile=pysequoia.Profile.RFC9580).extract_certificate()
    assert fingerprint_of(bytes(v6)) == v6.fingerprint.upper()


@given(st.binary(max_size=40))
def test_any_bytes_have_a_fingerprint_or_none(content: bytes) -> None:
    assert fingerprint_of(content) == "" or len(fingerprint_of(content)) in {40, 64}
