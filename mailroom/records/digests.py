"""Keyed hashes: finding a case again by address, Message-ID or bytes without storing any of them.

HMAC-SHA256 (RFC 2104, https://www.rfc-editor.org/rfc/rfc2104) under the hash key of a quarter. Once a quarter's
key is destroyed, its hashes answer no question any more.
"""

import hashlib
import hmac
from datetime import datetime

from mailroom.records.keystore import KeyStore


def quarter(now: datetime) -> str:
    """Name the quarter of a time, e.g. "2026Q4"."""
    return f"{now.year:04}Q{(now.month - 1) // 3 + 1}"


def address_form(address: str) -> str:
    """Give the form of an address under which it is found again: lower case, without a +suffix."""
    local, _, domain = address.rpartition("@")
    return f"{local.split('+')[0].casefold()}@{domain.casefold()}"


class Digests:
    """Makes keyed hashes under the current quarter's key, and under every quarter's that still has one."""

    def __init__(self, keystore: KeyStore) -> None:
        self._keystore = keystore

    def make(self, kind: str, value: bytes, period: str) -> bytes:
        """Hash one value under the key of `period`."""
        return _keyed(self._keystore.hash_key(period), kind, value)

    def all(self, kind: str, value: bytes) -> list[bytes]:
        """Hash one value under every key there is, newest first."""
        return [_keyed(self._keystore.hash_key(period), kind, value) for period in self._keystore.hash_periods()]


def _keyed(key: bytes, kind: str, value: bytes) -> bytes:
    return hmac.digest(key, kind.encode() + b"\0" + value, hashlib.sha256)
