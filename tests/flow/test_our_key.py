"""Everybody whom we write to can write back encrypted: our key is in every letter, and a file where we ask for more."""

from email import message_from_bytes
from typing import Any

import pytest

from mailroom.flow import alarming
from mailroom.mail.openpgp_keys import autocrypt_key, fingerprint
from tests.e2e.house import ADDRESS
from tests.e2e.letters import plain
from tests.fakes import Bag
from tests.flow.conftest import Counter, notices, replies
from tests.gnupg_home import fingerprint as known_fingerprint
from tests.gnupg_home import gpg, new_home
from tests.openpgp_mails import entity, pgp_mime_encrypted

HER = "complainant@example.net"
WORRY = "Someone at my club follows me and takes pictures of me."


def key_in_header(content: bytes) -> str:
    [value] = message_from_bytes(content).get_all("Autocrypt") or []
    return fingerprint(autocrypt_key("".join(value.splitlines()), ADDRESS) or b"")


async def test_every_letter_carries_our_key(counter: Counter) -> None:
    sent = await counter.take(plain(1, WORRY, HER), pgp_mime_encrypted(HER, entity(WORRY), autocrypt="complainant"))
    assert len(replies(sent)) == len(notices(sent)) == 2
    bag = Bag()
    await alarming.send(counter.desk.office, bag, counter.desk.encryptor, ("subject", "text"))
    assert {key_in_header(one.content) for one in [*sent, *bag.letters]} == {known_fingerprint("desk")}


@pytest.mark.parametrize("to", ["desk", "rsa"])
async def test_who_is_asked_to_write_again_gets_our_key_as_a_file(counter: Counter, to: str) -> None:
    [letter] = replies(await counter.take(pgp_mime_encrypted(HER, entity(WORRY), to=[to])))
    text, file = list(message_from_bytes(letter.content).walk())[1:]
    assert text.get_content_type() == "text/plain"
    assert (file.get_content_type(), file.get_filename()) == ("application/pgp-keys", "key.asc")
    content: Any = file.get_payload(decode=True)
    with new_home() as home:
        gpg(home, "--import", stdin=content)
        listed = gpg(home, "--list-keys", "--with-colons").decode()
    assert known_fingerprint("desk") in listed


async def test_other_answers_carry_no_file(counter: Counter) -> None:
    [letter] = replies(await counter.take(plain(1, WORRY, HER)))
    assert message_from_bytes(letter.content).get_content_type() == "text/plain"
