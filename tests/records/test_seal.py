"""The outer sealing layer."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailroom.errors import SealError
from mailroom.records.keystore import KeyStore
from mailroom.records.seal import Sealer, read_header


@pytest.fixture
def keystore(tmp_path: Path) -> KeyStore:
    KeyStore.create(tmp_path / "keystore", bytes(32))
    return KeyStore(tmp_path / "keystore", bytes(32))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=30)
@given(content=st.binary(max_size=2000))
def test_what_is_closed_opens_in_its_place(keystore: KeyStore, content: bytes) -> None:
    sealer = Sealer(keystore)
    sealed = sealer.close(content, keystore.new_case_key(), "K7QD-3M9X-T/1/original", 3)
    assert sealer.open(sealed, "K7QD-3M9X-T/1/original") == content
    assert read_header(sealed).archive_generation == 3


def test_a_sealed_thing_does_not_open_in_another_place(keystore: KeyStore) -> None:
    sealer = Sealer(keystore)
    sealed = sealer.close(b"text", keystore.new_case_key(), "K7QD-3M9X-T/1/original")
    with pytest.raises(SealError, match="altered or moved"):
        sealer.open(sealed, "K7QD-3M9X-T/2/original")


def test_every_altered_byte_is_noticed(keystore: KeyStore) -> None:
    sealer = Sealer(keystore)
    sealed = sealer.close(b"text", keystore.new_case_key(), "a")
    for place in range(len(sealed)):
        altered = sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :]
        with pytest.raises(SealError):
            sealer.open(altered, "a")


def test_nothing_opens_after_its_key_is_destroyed(keystore: KeyStore) -> None:
    sealer, key_id = Sealer(keystore), keystore.new_case_key()
    sealed = sealer.close(b"text", key_id, "a")
    keystore.destroy([key_id])
    with pytest.raises(SealError, match="destroyed"):
        sealer.open(sealed, "a")


def test_json_comes_back_as_it_was(keystore: KeyStore) -> None:
    sealer, key_id = Sealer(keystore), keystore.new_case_key()
    value = {"address": "ä@example.org", "flags": ["minor"], "none": None}
    assert sealer.open_json(sealer.close_json(value, key_id, "a"), "a") == value
