"""The settings of an OAuth2 client, and the requests that it makes of its server.

A request goes over verified TLS, except to this machine; redirects are not followed; nothing that the server writes
is shown, but for error codes of a fixed form.
"""

import http.client
import json
import re
import stat
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from mailroom.config_servers import is_loopback
from mailroom.errors import ConfigError, MailroomError, Problem, ServerUnreachable
from mailroom.nearest import nearest
from mailroom.transport.network import reason, tls_context

GRANTS = ("refresh_token", "client_credentials")
_MICROSOFT = "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/"
_OUTLOOK = "https://outlook.office.com/"
# https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth
# https://developers.google.com/identity/protocols/oauth2/native-app
_PROVIDERS = {
    "microsoft": {
        "token_endpoint": _MICROSOFT + "token",
        "device_endpoint": _MICROSOFT + "devicecode",
        "authorization_endpoint": _MICROSOFT + "authorize",
        "scope": f"{_OUTLOOK}IMAP.AccessAsUser.All {_OUTLOOK}SMTP.Send offline_access",
    },
    "google": {
        "token_endpoint": "https://oauth2.googleapis.com/token",
        "authorization_endpoint": "https://accounts.google.com/o/oauth2/v2/auth",
        "scope": "https://mail.google.com/",
    },
}
_APPLICATION_SCOPE = "https://outlook.office365.com/.default"
_ENDPOINTS = ("token_endpoint", "device_endpoint", "authorization_endpoint")
_KEYS = (*_ENDPOINTS, "provider", "tenant", "grant", "client_id", "client_secret", "scope", "refresh_token_file")
_MOST = 1 << 20  # bytes of an answer

# What to do, by the error codes of RFC 6749 section 5.2 and RFC 8628 section 3.5.
_ADVICE = {
    "invalid_grant": "What we hold is no longer good: a password was changed, the consent withdrawn, the time is over, "
    "or, at Google, the app is still in testing. Sign in again: {login}",
    "invalid_client": "The client id or its secret is wrong, or the secret is past its end. Look in {file}, "
    "or make a new secret at the provider.",
    "unauthorized_client": "The app may not use this grant. At the provider: allow public clients for device codes, "
    "or give the application permissions and an administrator's consent.",
    "invalid_scope": "The scope is not one of this server. Leave `scope` out of {file}, or look up its name.",
    "access_denied": "Somebody said no, or a policy of the provider did. Ask its administrator, and sign in again.",
    "expired_token": "The code was not used in time. Start again: {login}",
    "temporarily_unavailable": "The provider asks to try again later.",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """One client at one server; an endpoint that is not known is empty."""

    file: Path
    token_endpoint: str
    client_id: str
    scope: str
    refresh_token_file: Path
    device_endpoint: str = ""
    authorization_endpoint: str = ""
    grant: str = "refresh_token"
    client_secret: str = field(default="", repr=False)
    provider: str = ""

    @property
    def login_command(self) -> str:
        """What a person types to sign in, as the user that Mailroom runs as."""
        return f"{sys.executable} -m mailroom.oauth2 {self.file} --login"


@dataclass(frozen=True, slots=True)
class Token:
    """What the server gave; `refresh` is empty when it gave none."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


class Refused(MailroomError):
    """The server said no; `code` is the error code of RFC 6749 section 5.2, or empty."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


def load(path: Path) -> Settings:
    """Read the settings.

    Raises:
        ConfigError: with everything that is wrong in the file.
    """
    keys = _read(path)
    problems = [_unknown(path, key) for key in keys if key not in _KEYS]
    problems += [Problem(str(path), key, "must be a text in quotes.") for key in keys if not isinstance(keys[key], str)]
    if problems:
        raise ConfigError(*problems)
    filled = _filled(keys)
    problems = [Problem(str(path), key, what) for key, what in _faults(filled)]
    if problems:
        raise ConfigError(*problems)
    del filled["tenant"]
    refresh = path.absolute().parent / filled.pop("refresh_token_file")
    return Settings(path, refresh_token_file=refresh, **filled)


def _read(path: Path) -> dict[str, Any]:
    try:
        mode = path.stat().st_mode
        # A group may read: so a file of root's can be for the one group that Mailroom runs in.
        if mode & (stat.S_IRWXO | stat.S_IWGRP):
            raise ConfigError(Problem(str(path), "", "holds a secret, and others may read it: chmod 600."))
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(Problem(str(path), "", f"cannot be read: {error.strerror}.")) from None
    except UnicodeDecodeError:
        raise ConfigError(Problem(str(path), "", "must be UTF-8 text.")) from None
    except tomllib.TOMLDecodeError:  # its text may quote a secret
        raise ConfigError(Problem(str(path), "", 'is not TOML: write every line as key = "value".')) from None


def _unknown(path: Path, key: str) -> Problem:
    return Problem(str(path), key, "is not a key of this file.", nearest(key, _KEYS))


def _filled(keys: Mapping[str, str]) -> dict[str, str]:
    """Add what the provider implies; what the file says wins."""
    empty = dict.fromkeys((*_KEYS,), "") | {"grant": GRANTS[0], "refresh_token_file": "refresh-token"}
    implied = dict(_PROVIDERS.get(keys.get("provider", ""), {}))
    if keys.get("provider") == "microsoft" and keys.get("grant") == "client_credentials":
        implied["scope"] = _APPLICATION_SCOPE
    tenant = keys.get("tenant", "")
    for endpoint in set(_ENDPOINTS) & implied.keys():
        implied[endpoint] = implied[endpoint].replace("{tenant}", tenant)
    return empty | implied | dict(keys)


def _faults(keys: Mapping[str, str]) -> list[tuple[str, str]]:
    microsoft, application = keys["provider"] == "microsoft", keys["grant"] == "client_credentials"
    faults = [
        (keys["provider"] not in {"", *_PROVIDERS}, "provider", "must be microsoft or google, or be left out."),
        (keys["grant"] not in GRANTS, "grant", f"must be {' or '.join(GRANTS)}."),
        (not keys["client_id"], "client_id", "is required."),
        (application and not keys["client_secret"], "client_secret", "is required for client_credentials."),
        (application and keys["provider"] == "google", "grant", "Google knows refresh_token only."),
        (microsoft and not re.fullmatch(r"[\w.-]+", keys["tenant"]), "tenant", "must be the id or domain of yours."),
        (not keys["token_endpoint"], "token_endpoint", "is required without a provider."),
        *(
            (not _is_safe(keys[one]), one, "must begin with https:// (http:// only on this machine).")
            for one in _ENDPOINTS
        ),
    ]
    return [(key, what) for wrong, key, what in faults if wrong]


def _is_safe(endpoint: str) -> bool:
    if not endpoint:
        return True
    try:
        parts = urlsplit(endpoint)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks to the server; `timeout` is in seconds, for each step of a request."""

    settings: Settings
    timeout: float = 10.0
    cafile: str | None = None

    def token(self, form: Mapping[str, str]) -> Token:
        """Ask the token endpoint.

        Raises:
            ServerUnreachable: no answer.
            Refused: the server said no, or gave no usable token.
        """
        answer = self.post(self.settings.token_endpoint, form)
        access, refresh = answer.get("access_token"), answer.get("refresh_token", "")
        # A bearer token is printable ASCII without spaces (RFC 6750 section 2.1): anything else would break a login.
        if not isinstance(access, str) or not re.fullmatch(r"[!-~]+", access) or not isinstance(refresh, str):
            raise Refused(f"{self._place(self.settings.token_endpoint)} gave no access token.")
        return Token(access, refresh)

    def post(self, endpoint: str, form: Mapping[str, str]) -> dict[str, Any]:
        """Send a form with the client's id and secret; give the JSON object that came back."""
        who = {"client_id": self.settings.client_id, "client_secret": self.settings.client_secret}
        body = urlencode({name: value for name, value in (who | dict(form)).items() if value})
        try:
            status, content = self._request(endpoint, body)
        except (OSError, http.client.HTTPException) as error:
            raise ServerUnreachable(f"{self._place(endpoint)}: {reason(error)}.") from None
        answer = _json_object(content)
        if status != http.client.OK:
            raise self._refusal(endpoint, status, answer)
        return answer

    def _request(self, endpoint: str, body: str) -> tuple[int, bytes]:
        parts = urlsplit(endpoint)
        kind: type[http.client.HTTPConnection] = http.client.HTTPConnection
        more: dict[str, Any] = {}
        if parts.scheme == "https":
            kind, more = http.client.HTTPSConnection, {"context": tls_context(self.cafile)}
        connection = kind(parts.hostname or "", parts.port, timeout=self.timeout, **more)
        try:
            headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
            path = parts._replace(scheme="", netloc="", fragment="").geturl()
            connection.request("POST", path or "/", body, headers)
            response = connection.getresponse()
            return response.status, response.read(_MOST)
        finally:
            connection.close()

    def _refusal(self, endpoint: str, status: int, answer: Mapping[str, Any]) -> Refused:
        code = str(answer.get("error", ""))
        code = code if re.fullmatch(r"[a-z_]{1,40}", code) else ""
        # Microsoft's own numbers tell more; the rest of its text may name people.
        number = re.search(r"AADSTS\d{1,8}", str(answer.get("error_description", "")))
        said = " ".join(filter(None, (str(status), code, number and number[0])))
        known = {"file": self.settings.file, "login": self.settings.login_command}
        advice = _ADVICE.get(code, "Look the code up in docs/oauth2.md.").format(**known)
        return Refused(f"{self._place(endpoint)} refused ({said}). {advice}", code)

    def _place(self, endpoint: str) -> str:
        return f"The OAuth2 server {urlsplit(endpoint).hostname}"


def _json_object(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
