"""Every mail under tests/mail is opened as `run` opens it, and read as its expect.json says.

A difference is written beside it, as expect.got.json. A folder may hold more than the mail:

- `options.json`: what differs from the desk below: `own` (addresses), `authserv_id`, `keepers` (addresses),
  `form_senders` (addresses that every form believes).
- `*.asc`: keys that the desk has beside those of tests/keys.
"""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pytest

from mailroom.flow.desk import Person
from mailroom.flow.explanation import reading, signs
from mailroom.flow.filing import Decrypted
from mailroom.flow.linking import Link
from mailroom.flow.opening import Reader
from mailroom.flow.routing import kind_of
from mailroom.mail.message import Arrival, RawMail, Signature
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.sequoia import Sequoia
from mailroom.triage.triage import Lexicon, lexicon
from tests.gnupg_home import copied_home, fingerprint, gpg, new_home

CORPUS = Path(__file__).parent.parent / "mail"
# Mails of tests/mail/private are never in the repository; where there are some, they are read too.
FOLDERS = sorted(path.parent for path in CORPUS.rglob("mail.eml"))
RULES = Path(__file__).parent.parent.parent / "rules"


class Desk(NamedTuple):
    """What mails are opened with, unless their folder says otherwise."""

    own: tuple[str, ...] = ("desk@example.org", "Help@example.net")
    authserv_id: str = "mx.example.org"
    keepers: tuple[str, ...] = ("keeper@example.org", "deputy@example.org")
    form_senders: tuple[str, ...] = ()


class Keys:
    """The desk's keyring: a real GnuPG home, made when the first mail needs one."""

    def __init__(self, stack: ExitStack, folder: Path | None = None, shared: "Keys | None" = None) -> None:
        self._stack, self._folder, self._shared = stack, folder, shared

    @cached_property
    def home(self) -> Path:
        if self._shared is None:
            return self._stack.enter_context(new_home(["desk"], ["keeper", "deputy"]))
        home = self._stack.enter_context(copied_home(self._shared.home))
        for key in sorted(self._folder.glob("*.asc")) if self._folder else ():
            gpg(home, "--import", str(key))
        return home

    @cached_property
    def _gnupg(self) -> GnuPG:
        return GnuPG(self.home, fingerprint("desk"), None, 2_000_000)

    def decrypt(self, ciphertext: bytes, /) -> Decrypted:
        return self._gnupg.decrypt(ciphertext)

    def signed_inside(self, ciphertext: bytes, /) -> bytes:
        return self._gnupg.signed_inside(ciphertext)

    def verify(self, signed: bytes, signature: bytes, /) -> Signature:
        return self._gnupg.verify(signed, signature)

    def verify_inline(self, armored: bytes, /) -> tuple[Signature, bytes]:
        return self._gnupg.verify_inline(armored)


@pytest.fixture(scope="session")
def keys() -> Iterator[Keys]:
    with ExitStack() as stack:
        yield Keys(stack)


@pytest.fixture(scope="session")
def words() -> Lexicon:
    """Give how forms look, and the least that triage can be made of: what a mail is about is not looked at here."""
    paths = [RULES / "categories.yaml", *(RULES / "forms").glob("*.yaml")]
    return lexicon({path.relative_to(RULES).as_posix(): path.read_text("utf-8") for path in paths})


def read(folder: Path, keys: Keys, words: Lexicon) -> dict[str, object]:
    """Read the mail of a folder, and tell of it in the words of `mailroom explain`."""
    options = folder / "options.json"
    desk = Desk(**json.loads(options.read_text("utf-8"))) if options.exists() else Desk()
    configured = frozenset({fingerprint("keeper"), fingerprint("deputy")})
    ours, sequoia = frozenset(desk.own), Sequoia()
    forms = tuple(replace(shape, senders=frozenset(desk.form_senders)) for shape in words.forms)
    words = replace(words, forms=forms)
    reader = Reader(keys, sequoia.certificate_for, ours, configured, desk.authserv_id, words, sequoia.signed_by)
    content = (folder / "mail.eml").read_bytes()
    opened = reader.open(RawMail(Arrival("INBOX", 1, 1, len(content)), content))
    told = reading(opened, kind_of(opened, Link(), [Person(address, "keeper") for address in desk.keepers]))
    return told | {name: value for name, value in signs(opened).items() if value is not None}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_golden_mail_is_read_as_expected(
    folder: Path, keys: Keys, words: Lexicon, request: pytest.FixtureRequest
) -> None:
    with ExitStack() as stack:
        got = read(folder, Keys(stack, folder, keys) if any(folder.glob("*.asc")) else keys, words)
    text = json.dumps(got, ensure_ascii=False, indent=2) + "\n"
    wanted = folder / "expect.json"
    if request.config.getoption("--update-golden"):
        wanted.write_text(text, encoding="utf-8")
    expected = json.loads(wanted.read_text(encoding="utf-8")) if wanted.exists() else None
    beside = folder / "expect.got.json"
    if got == expected:
        beside.unlink(missing_ok=True)
    else:
        beside.write_text(text, encoding="utf-8")
    assert got == expected


def test_every_golden_mail_says_what_is_odd_in_it() -> None:
    named = [path for path in CORPUS.iterdir() if path.is_dir() and path.name[:1].isdigit()]
    assert len(named) >= 79
    assert len({path.name.partition("-")[0] for path in named}) == len(named)
    for folder in named:
        assert (folder / "mail.eml").exists()
        assert (folder / "expect.json").exists()
        assert (folder / "why.md").read_text(encoding="utf-8").strip()


def test_a_mail_without_openpgp_starts_no_gpg(words: Lexicon) -> None:
    with ExitStack() as stack:
        unused = Keys(stack)
        read(CORPUS / "01-plain-ascii", unused, words)
        assert "home" not in vars(unused)
