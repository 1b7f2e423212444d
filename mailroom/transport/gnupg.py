"""GnuPG through python-gnupg: everything that needs the desk key, and every verification.

python-gnupg starts gpg and moves the bytes; we read the status lines ourselves (`gnupg_status`). Three of its
ways are replaced, for these reasons:

- It reads status lines and gpg's log from one stream, and ends lines wherever Unicode may end one. A user id that
  holds U+0085 could so begin a line with "[GNUPG:] " and add a status line of its own. We send the log to nowhere
  and end lines at LF alone.
- It has no deadline. A gpg that takes longer is killed here, with all that it started.
- It verifies a detached signature through a temporary file. A signature may hold an address, so it is passed in
  memory (memfd, therefore Linux), and nothing is ever written outside the home.

The home's gpg.conf is not read: no edit there can change what a verdict means. Never the network: no dirmngr, no
key is looked for or fetched.
"""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gnupg

from mailroom.errors import ConfigError, DecryptionFailed, EncryptionFailed, Problem
from mailroom.flow.filing import Decrypted
from mailroom.mail.message import Signature
from mailroom.transport.gnupg_status import Run, failure, file_name, is_weak, judge, read_keys

_OPTIONS = (
    "--no-options", "--logger-file", os.devnull, "--trust-model", "always",
    "--disable-dirmngr", "--no-auto-key-locate", "--no-auto-key-retrieve", "--no-auto-key-import",
    "--no-symkey-cache", "--weak-digest", "SHA1", "--exit-on-status-write-error",
)  # fmt: skip
# RFC 3156 section 5 and RFC 9580 section 9.5: the numbers of hash algorithms and their names in micalg.
_MICALG = {"8": "pgp-sha256", "9": "pgp-sha384", "10": "pgp-sha512", "11": "pgp-sha224"}
_STATUS = b"[GNUPG:] "

# It would log user ids and pieces of mails when debugging is on.
gnupg.logger.disabled = True


class _Lines(gnupg.StatusHandler):  # type: ignore[misc]  # python-gnupg has no annotations
    """Keeps the status lines of one run as they are."""

    def __init__(self, gpg: "Gpg") -> None:
        super().__init__(gpg)
        self.returncode = -1
        self.data = b""
        self.lines: list[tuple[str, str]] = []

    def handle_status(self, key: str, value: str) -> None:
        """Keep one line; called by python-gnupg."""
        self.lines.append((key, value))


class Gpg(gnupg.GPG):  # type: ignore[misc]  # python-gnupg has no annotations
    """Runs gpg in one home. One object serves any number of threads: a run keeps its state in its own `_Lines`.

    Args:
        home: the GNUPGHOME.
        passphrase: of all secret keys in the home; None or "" when they have none.
        executable: the gpg program, 2.2.27 or later.
        deadline: seconds after which a gpg process is killed.

    Raises:
        ConfigError: there is no such home, gpg cannot be run, or the passphrase has more than one line.
    """

    def __init__(self, home: Path, passphrase: str | None, executable: str, deadline: float) -> None:
        # python-gnupg with passphrase="" lets gpg take the first line of the mail for the passphrase.
        self.passphrase = passphrase or None
        if self.passphrase and not self.passphrase.isprintable():
            raise ConfigError(Problem("openpgp.passphrase_file", "", "must hold one line without control characters."))
        self._deadline = deadline
        asking = [] if self.passphrase else ["--pinentry-mode", "error"]
        # Nothing of our environment can matter to gpg: not GNUPGHOME, not a display for asking passphrases.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        try:
            super().__init__(executable, str(home), options=[*_OPTIONS, *asking], env=environment, encoding="utf-8")
        except (OSError, ValueError):
            raise ConfigError(Problem("openpgp.home", "", "is missing, or gpg cannot be run there.")) from None
        self.buffer_size = 65_536

    def run(self, args: list[str], stdin: bytes = b"", *, unlock: bool = False) -> Run:
        """Run gpg once and wait for its end; `unlock` gives it the passphrase. What cannot be started was killed."""
        result = _Lines(self)
        # An OSError: gpg ended before it had read everything; its exit status says what that means.
        with contextlib.suppress(OSError):
            self._handle_io(args, io.BytesIO(stdin), result, self.passphrase if unlock else None, binary=True)
        return Run(result.returncode, tuple(result.lines), result.data)

    def _open_subprocess(self, args: list[str], passphrase: bool = False) -> subprocess.Popen[bytes]:
        files = [int(arg[2:]) for arg in args if arg.startswith("-&")]
        return subprocess.Popen(  # noqa: S603  # no shell; the arguments are ours, fingerprints and checked names
            self.make_args(args, passphrase),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.env,
            pass_fds=files,
            start_new_session=True,
        )

    def _collect_output(self, process: subprocess.Popen[bytes], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401  # not ours
        timer = threading.Timer(self._deadline, _kill, [process])
        timer.start()
        try:
            return super()._collect_output(process, *args, **kwargs)
        finally:
            timer.cancel()

    def _read_response(self, stream: Any, result: Any) -> None:  # noqa: ANN401  # not ours
        result.stderr = ""
        for line in stream.stream:  # the bytes below the reader, which would end lines at Unicode's will
            if line.startswith(_STATUS):
                key, _, value = line.removeprefix(_STATUS).rstrip(b"\n").decode("utf-8", "replace").partition(" ")
                result.handle_status(key, value)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def _in_memory(content: bytes) -> Iterator[str]:
    """Offer bytes to gpg as a file that is on no disk; give the name that gpg knows it by."""
    with os.fdopen(os.memfd_create("mailroom"), "wb", buffering=0) as file:
        file.write(content)
        file.seek(0)
        yield f"-&{file.fileno()}"


class GnuPG:
    """The desk's keyring; fits `flow.ports.Keyring`. Safe to use from several threads.

    Args:
        home: the GNUPGHOME; `DeskHome` makes and fills one.
        desk_fingerprint: the full primary fingerprint of the key that signs.
        passphrase: as for `Gpg`; so are `executable` and `deadline`.
        max_output: the most bytes that one message may open to.

    Raises:
        ConfigError: as `Gpg`.
    """

    def __init__(
        self,
        home: Path,
        desk_fingerprint: str,
        passphrase: str | None,
        max_output: int,
        executable: str = "gpg",
        deadline: float = 60.0,
    ) -> None:
        self._gpg = Gpg(home, passphrase, executable, deadline)
        self._keyring = home / "pubring.kbx"
        self._desk = desk_fingerprint
        self._bound = ["--max-output", str(max_output)]
        self._max_output = max_output
        self._listed: tuple[tuple[int, int], dict[str, tuple[str, ...]]] | None = None

    def decrypt(self, ciphertext: bytes) -> Decrypted:
        """Open an OpenPGP message (binary or armored) with any secret key here, and judge a signature inside.

        A message that is not encrypted, only signed, opens too. One gpg process; a second one when
        there is a signature that is not good, since gpg's exit status then no longer tells whether the plaintext is
        whole.

        Raises:
            DecryptionFailed: nothing of the output is kept after any failure.
        """
        run = self._decrypt(ciphertext)
        signature = judge(run, run.output)
        if run.exit_status > 0 and signature.state not in {"none", "valid"}:
            run = self._decrypt(ciphertext, "--skip-verify")
        why = failure(run, self._max_output, signed=signature.state != "none")
        if why:
            raise DecryptionFailed(why)
        is_encrypted = bool(run.values("DECRYPTION_INFO"))
        weak = is_encrypted and is_weak(run)
        return Decrypted(run.output, weak, self._with_addresses(signature), is_encrypted, file_name(run))

    def signed_inside(self, ciphertext: bytes) -> bytes:
        """Take the encryption off a message, and give the signed message inside as it is; b"" when that fails."""
        run = self._gpg.run(["--unwrap", *self._bound, "--decrypt"], ciphertext, unlock=True)
        return run.output if run.exit_status == 0 and run.values("GOODMDC") else b""

    def verify(self, signed: bytes, signature: bytes) -> Signature:
        """Judge a detached signature (binary or armored) over exactly these bytes; never "none"."""
        with _in_memory(signature) as name:
            run = self._gpg.run(["--enable-special-filenames", "--verify", "--", name, "-"], signed)
        verdict = judge(run, signed)
        # A message with a plaintext of its own is no detached signature: it would vouch for that plaintext.
        if verdict.state == "none" or run.values("PLAINTEXT"):
            return Signature("invalid")
        return self._with_addresses(verdict)

    def verify_inline(self, armored: bytes) -> tuple[Signature, bytes]:
        """Judge a cleartext-signed message; give the verdict and exactly the bytes that it covers.

        Without any covered bytes, or with several signed texts, the verdict is "invalid" over b"".
        """
        run = self._gpg.run([*self._bound, "--output", "-", "--verify"], armored)
        verdict = judge(run, run.output)
        if verdict.state == "none" or len(run.values("PLAINTEXT")) != 1 or run.exit_status < 0:
            return Signature("invalid"), b""
        return self._with_addresses(verdict), run.output

    def sign_detached(self, content: bytes) -> tuple[bytes, str]:
        """Make an armored detached signature over exactly `content`; give it with its micalg (RFC 3156 section 5).

        Raises:
            EncryptionFailed: the desk key is missing, expired or locked, or gpg did not end in time.
        """
        args = ["--armor", "--detach-sign", "--local-user", self._desk]
        run = self._gpg.run(args, content, unlock=True)
        made = run.value("SIG_CREATED").split()
        if run.exit_status != 0 or len(made) != 6 or made[2] not in _MICALG:
            raise EncryptionFailed("The desk key could not sign: see `mailroom doctor`.")
        return run.output, _MICALG[made[2]]

    def _decrypt(self, ciphertext: bytes, *options: str) -> Run:
        return self._gpg.run([*options, *self._bound, "--decrypt"], ciphertext, unlock=True)

    def _with_addresses(self, signature: Signature) -> Signature:
        if signature.signer is None:
            return signature
        addresses = self._addresses().get(signature.signer, ())
        return Signature(signature.state, signature.signer, addresses, signature.sig_id, signature.digest)

    def _addresses(self) -> dict[str, tuple[str, ...]]:
        """Give the addresses of all keys, listed anew when the keyring file changed."""
        file = self._keyring.stat()
        version = (file.st_mtime_ns, file.st_size)
        if self._listed is None or self._listed[0] != version:
            listing = self._gpg.run(["--list-keys"]).output
            self._listed = version, {key.fingerprint: key.addresses for key in read_keys(listing)}
        return self._listed[1]


class GnuPGSigner:
    """Signs with the desk key without blocking the event loop; fits `flow.ports.Signer`.

    At most `limit` gpg processes run at a time; the others wait.
    """

    def __init__(self, gnupg: GnuPG, limit: int = 2) -> None:
        self._gnupg = gnupg
        self._places = asyncio.Semaphore(limit)

    async def sign(self, content: bytes) -> tuple[bytes, str]:
        """Make an armored detached signature over exactly `content`; raises as `GnuPG.sign_detached`."""
        async with self._places:
            return await asyncio.to_thread(self._gnupg.sign_detached, content)
