"""How a person signs in once, so that Mailroom has a refresh token: with a device code, or in a browser."""

import secrets
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit

from mailroom.oauth2.server import Client, Refused, Token

_NO_REFRESH = "The server gave no refresh token. At Microsoft, `scope` must name offline_access."
_SHORTEST, _SLOWER = 5, 5  # seconds, RFC 8628 sections 3.2 and 3.5
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


def by_device(client: Client, say: Callable[[str], None], wait: Callable[[float], None]) -> str:
    """Show a code, wait until a person has entered it elsewhere, and give the refresh token.

    See Also:
        RFC 8628, https://www.rfc-editor.org/rfc/rfc8628#section-3

    Raises:
        ServerUnreachable: no answer.
        Refused: by the server or by the person, or the code got too old.
    """
    settings = client.settings
    began = client.post(settings.device_endpoint, {"scope": settings.scope})
    code, where = _line(began.get("user_code")), _line(began.get("verification_uri"))
    say(f"Open {where} in a browser, sign in as the desk, and enter the code {code}")
    form = {"grant_type": _DEVICE, "device_code": str(began.get("device_code", ""))}
    pause = max(_number(began.get("interval")), _SHORTEST)
    until = time.monotonic() + _number(began.get("expires_in"))
    while True:
        wait(pause)
        try:
            return _refresh(client.token(form))
        except Refused as refused:
            if refused.code not in {"authorization_pending", "slow_down"} or time.monotonic() > until:
                raise
            pause += _SLOWER if refused.code == "slow_down" else 0


def by_browser(client: Client, port: int, say: Callable[[str], None], ask: Callable[[], str]) -> str:
    """Let a person sign in with a browser on any machine and paste the address it ends at; give the refresh token.

    The browser is sent to `port` of its own machine, where nothing listens: the page fails, its address is what we
    need. Somebody who sees that address can do nothing with it without the verifier, which stays here (RFC 7636).

    See Also:
        RFC 8252 section 7.3, https://www.rfc-editor.org/rfc/rfc8252#section-7.3

    Raises:
        ServerUnreachable: no answer.
        Refused: by the server or by the person, or what was pasted is not that address.
    """
    settings = client.settings
    # Microsoft takes any port of localhost and no other name; everybody else is asked as the RFC says.
    host = "localhost" if settings.provider == "microsoft" else "127.0.0.1"
    home, state, verifier = f"http://{host}:{port}", secrets.token_urlsafe(16), secrets.token_urlsafe(48)
    query = {
        "client_id": settings.client_id,
        "response_type": "code",
        "redirect_uri": home,
        "scope": settings.scope,
        "state": state,
        "code_challenge": urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    if settings.provider == "google":
        query |= {"access_type": "offline", "prompt": "consent"}  # else it gives no refresh token
    say("Open this address in a browser and sign in as the desk:")
    say(f"{settings.authorization_endpoint}?{urlencode(query)}")
    say(f"The browser will end at a page that does not load, at {home}. Copy its whole address and paste it here:")
    code = _code(ask(), state)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": home, "code_verifier": verifier}
    return _refresh(client.token(form))


def _code(pasted: str, state: str) -> str:
    try:
        answer = parse_qs(urlsplit(pasted.strip()).query)
    except ValueError:
        answer = {}
    if answer.get("state") != [state]:
        raise Refused("That is not the address of this sign-in. Copy it whole, and start again.")
    if "code" not in answer:
        raise Refused("The sign-in was refused. Ask the provider's administrator, and start again.")
    return answer["code"][0]


def _refresh(token: Token) -> str:
    if not token.refresh:
        raise Refused(_NO_REFRESH)
    return token.refresh


def _line(value: object) -> str:
    """Take from a server only what cannot steer a terminal."""
    if not isinstance(value, str) or not (value.isascii() and value.isprintable()):
        raise Refused("The server gave no usable device code.")
    return value


def _number(value: object) -> float:
    return float(value) if isinstance(value, int) else 0.0
