"""Prints one OAuth2 access token: the program for `token_command` (docs/oauth2.md).

    python -m mailroom.oauth2 FILE                      print an access token
    python -m mailroom.oauth2 FILE --login [--browser]  once, by a person: get the refresh token

The token goes to stdout, all else to stderr. Exit status: 0 done; 1 refused by the server; 2 bad usage or bad
settings; 3 the server could not be reached. Nothing printed holds a secret, an address or a text of the server.
"""

import argparse
import fcntl
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mailroom.errors import ConfigError, MailroomError, Problem, ServerUnreachable
from mailroom.oauth2.login import by_browser, by_device
from mailroom.oauth2.server import Client, Settings, load


def access_token(client: Client) -> str:
    """Ask for an access token; a refresh token that comes with it replaces the one that was used.

    See Also:
        RFC 6749 sections 4.4 and 6, https://www.rfc-editor.org/rfc/rfc6749#section-6

    Raises:
        ConfigError: there is no refresh token yet.
        ServerUnreachable: no answer.
        MailroomError: the server refused; the text says what to do.
    """
    settings = client.settings
    if settings.grant == "client_credentials":
        return client.token({"grant_type": "client_credentials", "scope": settings.scope}).access
    with _alone(settings.refresh_token_file):
        old = _read(settings)
        form = {"grant_type": "refresh_token", "refresh_token": old, "scope": settings.scope}
        token = client.token(form)
        if token.refresh and token.refresh != old:
            store(settings.refresh_token_file, token.refresh)
    return token.access


def log_in(client: Client, sign_in: Callable[[Client], str]) -> None:
    """Let a person sign in, and keep the refresh token that comes of it.

    Raises:
        ConfigError: the grant needs no person, or nobody knows where to sign in.
        MailroomError: as `access_token`.
    """
    settings = client.settings
    if settings.grant == "client_credentials":
        what = 'is "client_credentials": nobody signs in for that. Leave out --login.'
        raise ConfigError(Problem(str(settings.file), "grant", what))
    if not (settings.device_endpoint or settings.authorization_endpoint):
        what = "is required to sign in, or device_endpoint is, where there is no provider."
        raise ConfigError(Problem(str(settings.file), "authorization_endpoint", what))
    refresh = sign_in(client)
    with _alone(settings.refresh_token_file):
        store(settings.refresh_token_file, refresh)


def store(path: Path, secret: str) -> None:
    """Replace the file whole and synced, so that a crash leaves the old secret or the new one; mode 0600."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # mkstemp: mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
            file.flush()
            os.fsync(file.fileno())
        Path(draft).replace(path)
    except OSError:
        Path(draft).unlink(missing_ok=True)
        raise


def _read(settings: Settings) -> str:
    try:
        return settings.refresh_token_file.read_text(encoding="utf-8").strip()
    except FileNotFoundError:
        what = f"there is no {settings.refresh_token_file} yet. Sign in once: {settings.login_command}"
        raise ConfigError(Problem(str(settings.file), "refresh_token_file", what)) from None


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let IMAP and SMTP ask one after the other: a server that rotates may take each refresh token only once."""
    with path.with_name(f"{path.name}.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; give the exit status."""
    os.umask(0o077)
    parser = argparse.ArgumentParser(prog="python -m mailroom.oauth2", description="Print an OAuth2 access token.")
    parser.add_argument("file", type=Path, help="the settings, a TOML file that only its owner may read")
    parser.add_argument("--login", action="store_true", help="sign in once, to get the refresh token")
    parser.add_argument("--browser", action="store_true", help="with --login: in a browser, without a device code")
    given = parser.parse_args(arguments)
    try:
        _run(Client(load(given.file)), login=given.login or given.browser, browser=given.browser)
    except (EOFError, KeyboardInterrupt):
        _say("Stopped; nothing was changed.")
        return 1
    except (MailroomError, OSError) as error:
        said = f"{error.filename}: {error.strerror}" if isinstance(error, OSError) else str(error)
        _say(said)
        return 2 if isinstance(error, ConfigError) else 3 if isinstance(error, ServerUnreachable) else 1
    return 0


def _run(client: Client, *, login: bool, browser: bool) -> None:
    if not login:
        sys.stdout.write(access_token(client) + "\n")
        return
    if browser or not client.settings.device_endpoint:
        port = 49152 + secrets.randbelow(16384)  # one that nothing listens on, most likely: RFC 6335 section 6
        log_in(client, lambda known: by_browser(known, port, _say, input))
    else:
        log_in(client, lambda known: by_device(known, _say, time.sleep))
    _say(f"Done. The refresh token is in {client.settings.refresh_token_file}.")


def _say(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main())
