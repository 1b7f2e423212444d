"""What a person wrote around an OpenPGP block is hers too: it decides the language, the category and the danger."""

from pathlib import Path

from mailroom.flow.desk import Guide
from mailroom.flow.opening import Reader
from mailroom.mail.message import Arrival, RawMail
from mailroom.transport.gnupg import GnuPG
from mailroom.transport.sequoia import Sequoia
from tests.e2e.letters import plain
from tests.gnupg_home import fingerprint, gpg


def test_words_beside_a_signed_block_are_read_and_the_signature_does_not_count_for_them(
    desk_home: Path, people_home: Path, guide: Guide
) -> None:
    theirs = gpg(people_home, "--local-user", fingerprint("complainant"), "--clearsign", stdin=b"See you soon.\n")
    mail = plain(1, f"He is outside with a knife, and sent me this:\r\n\r\n{theirs.decode()}\r\nPlease help.")
    keyring = GnuPG(desk_home, fingerprint("desk"), None, 1_000_000)
    reader = Reader(keyring, Sequoia().certificate_for, frozenset({"desk@example.org"}), frozenset(), "", guide.lexicon)
    opened = reader.open(RawMail(Arrival("INBOX", 1, 1, len(mail)), mail))
    assert "He is outside with a knife" in opened.message.text
    assert "Please help." in opened.message.text
    assert opened.openpgp.signature.state != "valid"
