"""OpenPGP keys: whether the desk key works, and whether something can be encrypted to everybody else's."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from mailroom.config import Config
from mailroom.doctor.finding import Finding, note, ok, wrong
from mailroom.errors import ConfigError, DecryptionFailed, EncryptionFailed
from mailroom.office import keyring
from mailroom.transport.gnupg_home import DeskHome
from mailroom.transport.gnupg_status import Key
from mailroom.transport.sequoia import Sequoia

_SOON = timedelta(days=30)
_RENEW = "Its owner makes it last longer and sends the public key: mailroom keys import FILE"
_ANOTHER = "Get another public key from its owner, run `mailroom keys import FILE`, and name it in {where}."
_PROBE = b"a probe of mailroom doctor\n"


@dataclass(frozen=True, slots=True)
class _Named:
    """One key that the configuration names: for which check, and where it stands."""

    check: str
    where: str
    fingerprint: str

    @property
    def short(self) -> str:
        """The end of the fingerprint, which people compare."""
        return f"the key {self.fingerprint[-16:]}"


def keys(config: Config, now: datetime) -> list[Finding]:
    """Check every key that the configuration names."""
    home = DeskHome(config.openpgp.home)
    here = {key.fingerprint: key for key in home.list_keys()}
    found = list(_desk_key(config, home, here.get(config.openpgp.key), now))
    for check, named in _groups(config):
        faults = [fault for one in named for fault in _faults(home, one, here.get(one.fingerprint), now)]
        found += faults or ([ok(check, f"{len(named)} usable")] if named else [])
    return [*found, *_archive_number(config)]


def _groups(config: Config) -> Iterator[tuple[str, list[_Named]]]:
    archive = [_Named("archive keys", "[archive] recipients", one) for one in config.archive.recipients]
    yield "archive keys", archive
    for check, table in (("keeper keys", "keepers"), ("admin keys", "admins"), ("researcher keys", "researchers")):
        people = getattr(config, table)
        yield check, [_Named(check, f"[[{table}]]", one.fingerprint) for one in people if one.fingerprint]


def _archive_number(config: Config) -> Iterator[Finding]:
    count = len(config.archive.recipients)
    if count == 0:
        yield wrong(
            "archive keys",
            "there is no archive key: anyone with the wrapping key reads the archive",
            "Name the record keeper's key and a second one in [archive] recipients.",
        )
    if count == 1:
        yield note(
            "archive keys",
            "only one key opens the archive: if it is lost, every record is lost",
            "Name a second one in [archive] recipients: a deputy's, or one that lies in a safe.",
        )


def _faults(home: DeskHome, named: _Named, key: Key | None, now: datetime) -> Iterator[Finding]:
    check, short, another = named.check, named.short, _ANOTHER.format(where=named.where)
    if key is None:
        yield wrong(check, f"{short} of {named.where} is not in the keyring", "Put it there: mailroom keys import FILE")
        return
    if key.revoked:
        yield wrong(check, f"{short} of {named.where} was revoked by its owner", another)
        return
    sequoia, certificate = Sequoia(), home.certificate(named.fingerprint)
    try:
        sequoia.seal(b"", [certificate])
        expired = sequoia.expired(certificate)
    except EncryptionFailed:
        what = f"nothing can be encrypted to {short} of {named.where}: it is for signing only, or damaged"
        yield wrong(check, what, another)
        return
    if expired:
        yield _expired(named)
    elif key.expires and key.expires < now + _SOON:
        yield note(check, f"{short} of {named.where} expires on {key.expires:%Y-%m-%d}", _RENEW)


def _expired(named: _Named) -> Finding:
    what = f"{named.short} of {named.where} has expired"
    if named.check == "keeper keys":
        return wrong(named.check, f"{what}: notices cannot be encrypted to it", _RENEW)
    if named.check == "archive keys":
        return note(named.check, f"{what}; the archive is still sealed to it", _RENEW)
    return note(named.check, f"{what}; what is sent to its owner goes unencrypted", _RENEW)


def _desk_key(config: Config, home: DeskHome, key: Key | None, now: datetime) -> Iterator[Finding]:
    check = "desk key"
    restore = f"Put it back from its backup: gpg --homedir {config.openpgp.home} --import FILE"
    if key is None:
        yield wrong(check, "the key of [openpgp] key is not in the keyring", restore)
    elif not key.secret:
        yield wrong(
            check, "its private half is not in [openpgp] home: nothing that people encrypt can be read", restore
        )
    elif key.revoked:
        yield wrong(check, "it was revoked", "Make a new desk key, name it in [openpgp] key, and publish it.")
    elif key.expires and key.expires < now:
        yield wrong(check, f"it expired on {key.expires:%Y-%m-%d}: mail programs refuse it", _longer(config))
    else:
        yield _works(config, home)
        if key.expires and key.expires < now + _SOON:
            yield note(check, f"it expires on {key.expires:%Y-%m-%d}", _longer(config))


def _longer(config: Config) -> str:
    command = f"gpg --homedir {config.openpgp.home} --quick-set-expire {config.openpgp.key} 3y"
    return f"Make it last longer: {command} (and the same command with '*' at its end). Then publish it again."


def _works(config: Config, home: DeskHome) -> Finding:
    """Encrypt to it and open that, sign with it and verify that."""
    check = "desk key"
    try:
        ring = keyring(config)
        sealed = Sequoia().encrypt(_PROBE, [home.certificate(config.openpgp.key)], armor=False)
        opened = ring.decrypt(sealed).content
        signature, _ = ring.sign_detached(_PROBE)
        verdict = ring.verify(_PROBE, signature)
    except (ConfigError, DecryptionFailed, EncryptionFailed) as error:
        do = "Look at [openpgp] passphrase_file: the passphrase must be that of the desk key. Is gpg-agent installed?"
        return wrong(check, f"it cannot decrypt and sign: {error}", do)
    if opened != _PROBE or verdict.state != "valid":
        return wrong(check, "what it opens or signs is not right", "Restore [openpgp] home from its backup.")
    return ok(check, "it decrypts and signs")
