"""The key store file."""

from pathlib import Path

import pytest

from mailroom.errors import SealError
from mailroom.records.keystore import KeyStore

WRAPPING = bytes(range(32))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    KeyStore.create(tmp_path / "keystore", WRAPPING)
    return tmp_path / "keystore"


def test_a_case_key_is_found_again_by_another_process(path: Path) -> None:
    first, other = KeyStore(path, WRAPPING), KeyStore(path, WRAPPING)
    key_id = first.new_case_key()
    assert other.case_key(key_id) == first.case_key(key_id)
    assert len(first.case_key(key_id)) == 32


def test_two_processes_that_append_in_turn_lose_no_key(path: Path) -> None:
    one, two = KeyStore(path, WRAPPING), KeyStore(path, WRAPPING)
    ids = [store.new_case_key() for store in (one, two, one, two, two, one)]
    fresh = KeyStore(path, WRAPPING)
    assert len({fresh.case_key(key_id) for key_id in ids}) == 6


def test_the_wrong_wrapping_key_opens_nothing(path: Path) -> None:
    with pytest.raises(SealError):
        KeyStore(path, b"x" * 32)


def test_a_wrapping_key_of_another_length_is_refused(path: Path) -> None:
    with pytest.raises(SealError, match="32 bytes"):
        KeyStore(path, b"short")


def test_a_key_store_is_never_replaced_by_an_empty_one(path: Path) -> None:
    with pytest.raises(FileExistsError):
        KeyStore.create(path, WRAPPING)


def test_no_key_stands_in_clear_in_the_file(path: Path) -> None:
    store = KeyStore(path, WRAPPING)
    key = store.case_key(store.new_case_key())
    assert key not in path.read_bytes()
    assert store.hash_key("2026Q4") not in path.read_bytes()


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    store = KeyStore(path, WRAPPING)
    store.destroy([store.new_case_key()])
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_record_torn_by_a_crash_is_written_over(path: Path) -> None:
    store = KeyStore(path, WRAPPING)
    kept = store.new_case_key()
    path.write_bytes(path.read_bytes() + b"C" + b"torn")
    after = KeyStore(path, WRAPPING)
    added = after.new_case_key()
    again = KeyStore(path, WRAPPING)
    assert again.case_key(kept) != again.case_key(added)


def test_a_destroyed_key_is_gone_and_the_others_stay(path: Path) -> None:
    store = KeyStore(path, WRAPPING)
    doomed, kept = store.new_case_key(), store.new_case_key()
    key = store.case_key(kept)
    assert store.destroy([doomed]) == 2
    assert store.case_key(kept) == key
    with pytest.raises(SealError):
        store.case_key(doomed)


def test_another_process_sees_at_once_that_a_key_was_destroyed(path: Path) -> None:
    one, two = KeyStore(path, WRAPPING), KeyStore(path, WRAPPING)
    doomed = one.new_case_key()
    two.case_key(doomed)
    one.destroy([doomed])
    with pytest.raises(SealError):
        two.case_key(doomed)


def test_destroying_overwrites_the_old_file_itself(path: Path) -> None:
    store = KeyStore(path, WRAPPING)
    doomed = store.new_case_key()
    kept_open = path.open("rb")
    store.destroy([doomed])
    with kept_open:
        assert set(kept_open.read()) == {0}


def test_a_key_moved_to_another_id_does_not_open(path: Path) -> None:
    store = KeyStore(path, WRAPPING)
    one, two = store.new_case_key(), store.new_case_key()
    content = path.read_bytes()
    path.write_bytes(content.replace(b"C" + one, b"C" + bytes(16)).replace(b"C" + two, b"C" + one))
    with pytest.raises(SealError, match="altered"):
        KeyStore(path, WRAPPING).case_key(one)


def test_a_quarter_has_one_hash_key_until_it_is_destroyed(path: Path) -> None:
    store = KeyStore(path, WRAPPING)
    first = store.hash_key("2026Q3")
    assert store.hash_key("2026Q3") == first
    assert store.hash_key("2026Q4") != first
    store.destroy_hash_keys(["2026Q3"])
    assert store.hash_periods() == ["2026Q4"]
    assert store.hash_key("2026Q3") != first
