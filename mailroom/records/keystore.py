"""The key store: case keys and hash keys, wrapped, in one small file beside the database.

Layout (all integers big-endian):

    header   b"MRKS" | format 1 byte (1) | generation 4 bytes | wrapped generation key 60 bytes
    record   kind 1 byte (b"C" case key, b"H" hash key) | id 16 bytes | wrapped key 60 bytes

A wrapped key is a 12-byte nonce and the AES-256-GCM ciphertext of 32 bytes with its tag. The generation key is
wrapped by the wrapping key (`[archive] key_file`), every other key by the generation key; the associated data is
all that stands before the wrapped key, so that nothing can be moved. New keys are appended and synced before the
database names them. Destroying keys rewrites the whole file under a fresh generation key: the old file with its
records is of no use to whoever finds it later, once its backups are gone.
"""

import fcntl
import os
import secrets
import struct
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mailroom.errors import SealError

_MAGIC = b"MRKS\x01"
_HEADER = 4 + 1 + 4 + 60
_RECORD = 1 + 16 + 60
CASE, HASH = b"C", b"H"
_AT_ONCE = 16


class KeyStore:
    """Keys by kind and id. Safe beside other threads, and beside another process that appends or rewrites."""

    def __init__(self, path: Path, wrapping_key: bytes) -> None:
        if len(wrapping_key) != 32:
            raise SealError("the wrapping key must be exactly 32 bytes")
        self._path = path
        self._wrapping = AESGCM(wrapping_key)
        self._wrapped: dict[bytes, bytes] = {}
        self._quarters: set[bytes] = set()
        self._generation = 0
        self._state = (0, 0, 0)
        self._spare: list[bytes] = []
        self._lock = threading.RLock()  # the event loop and the thread of the records both ask
        self._reload()

    @staticmethod
    def create(path: Path, wrapping_key: bytes) -> None:
        """Make an empty key store of generation 1; refuses to replace one."""
        with path.open("xb") as file:
            path.chmod(0o600)
            file.write(_new_header(AESGCM(wrapping_key), 1)[0])
            _sync(file)

    @property
    def generation(self) -> int:
        """The number of the generation that new keys are wrapped under."""
        return self._generation

    def new_case_key(self) -> bytes:
        """Give the 16-byte random id of a fresh case key that is safely on disk.

        Keys are made some at a time, because each append waits for the disk; those that are never used harm nobody.
        """
        with self._lock:
            if not self._spare:
                self._spare = [secrets.token_bytes(16) for _ in range(_AT_ONCE)]
                self._append({CASE + key_id: secrets.token_bytes(32) for key_id in self._spare})
            return self._spare.pop()

    def case_key(self, key_id: bytes) -> bytes:
        """Give the 32-byte case key.

        Raises:
            SealError: there is no such key (any more).
        """
        return self._key(CASE, key_id)

    def hash_key(self, period: str) -> bytes:
        """Give the 32-byte hash key of a period such as "2026Q4", made at first use."""
        key_id = period.encode("ascii").ljust(16, b"\0")
        try:
            return self._key(HASH, key_id)
        except SealError:
            self._append({HASH + key_id: secrets.token_bytes(32)})
            return self._key(HASH, key_id)

    def hash_periods(self) -> list[str]:
        """List the periods that have a hash key, newest first."""
        with self._lock:
            self._refresh()
            names = [name.rstrip(b"\0").decode("ascii") for name in self._quarters]
        return sorted(names, reverse=True)

    def destroy(self, key_ids: Collection[bytes]) -> int:
        """Destroy these case keys by rewriting the file under a fresh generation; give the new generation."""
        doomed = {CASE + key_id for key_id in key_ids}
        return self._rewrite(lambda name: name not in doomed)

    def destroy_hash_keys(self, periods: Collection[str]) -> int:
        """Destroy the hash keys of these periods, so that their hashes can never be recomputed."""
        doomed = {HASH + period.encode("ascii").ljust(16, b"\0") for period in periods}
        return self._rewrite(lambda name: name not in doomed)

    def _key(self, kind: bytes, key_id: bytes) -> bytes:
        with self._lock:
            self._refresh()
            wrapped, generation_key = self._wrapped.get(kind + key_id), self._generation_key
        if wrapped is None:
            raise SealError("no such key in the key store: it was destroyed or never made")
        return _open(generation_key, wrapped, kind + key_id)

    def _append(self, keys: Mapping[bytes, bytes]) -> None:
        with self._locked():
            self._refresh()
            fresh = {name: key for name, key in keys.items() if name not in self._wrapped}
            with self._path.open("r+b") as file:
                file.seek(self._read_to)  # over the torn record that a crash may have left
                for name, key in fresh.items():  # another process may have made a quarter's key meanwhile
                    file.write(name + _close(self._generation_key, key, name))
                file.truncate()
                _sync(file)
            self._refresh()

    def _rewrite(self, keep: Callable[[bytes], bool]) -> int:
        with self._locked():
            self._refresh()
            header, generation_key = _new_header(self._wrapping, self._generation + 1)
            fresh = self._path.with_suffix(".new")
            with fresh.open("wb") as file:
                fresh.chmod(0o600)
                file.write(header)
                for name, wrapped in self._wrapped.items():
                    if keep(name):
                        key = _open(self._generation_key, wrapped, name)
                        file.write(name + _close(generation_key, key, name))
                _sync(file)
            self._replace_with(fresh)
            self._reload()
            return self._generation

    def _replace_with(self, fresh: Path) -> None:
        with self._path.open("r+b") as old:
            size = old.seek(0, os.SEEK_END)
            fresh.replace(self._path)
            _sync_folder(self._path.parent)
            # Best effort on the medium itself: a journal or a flash translation layer may keep a copy.
            old.seek(0)
            old.write(bytes(size))
            _sync(old)

    def _refresh(self) -> None:
        stat = self._path.stat()
        state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        if state == self._state:
            return
        with self._path.open("rb") as file:
            if file.read(9) != _MAGIC + struct.pack(">I", self._generation):
                self._reload()
            else:
                file.seek(self._read_to)
                self._index(file.read())
        self._state = state

    def _reload(self) -> None:
        content = self._path.read_bytes()
        if len(content) < _HEADER or content[:5] != _MAGIC:
            raise SealError(f"{self._path.name} is not a key store of this version")
        (self._generation,) = struct.unpack(">I", content[5:9])
        self._generation_key = AESGCM(_open(self._wrapping, content[9:_HEADER], content[:9]))
        self._wrapped, self._quarters, self._read_to = {}, set(), _HEADER
        self._index(content[_HEADER:])

    def _index(self, records: bytes) -> None:
        whole = len(records) - len(records) % _RECORD
        for start in range(0, whole, _RECORD):
            self._wrapped[records[start : start + 17]] = records[start + 17 : start + _RECORD]
            if records[start : start + 1] == HASH:
                self._quarters.add(records[start + 1 : start + 17])
        self._read_to += whole

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with self._lock, self._path.with_suffix(".lock").open("a") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def _new_header(wrapping: AESGCM, generation: int) -> tuple[bytes, AESGCM]:
    key = secrets.token_bytes(32)
    start = _MAGIC + struct.pack(">I", generation)
    return start + _close(wrapping, key, start), AESGCM(key)


def _close(key: AESGCM, content: bytes, bound_to: bytes) -> bytes:
    nonce = secrets.token_bytes(12)
    return nonce + key.encrypt(nonce, content, bound_to)


def _open(key: AESGCM, wrapped: bytes, bound_to: bytes) -> bytes:
    try:
        return key.decrypt(wrapped[:12], wrapped[12:], bound_to)
    except InvalidTag:
        raise SealError("the key store does not open with this wrapping key, or it was altered") from None


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
