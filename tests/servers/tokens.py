"""OAuth2 access tokens that a Dovecot takes: JSON Web Tokens that it checks itself, with a key that both know."""

import base64
import hashlib
import hmac
import json
import secrets
import time
from pathlib import Path

CONFIG = """
auth_mechanisms = plain login xoauth2
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {root}/oauth2.conf
}}
"""
OAUTH2 = """
introspection_mode = local
local_validation_key_dict = fs:posix:prefix={root}/token-keys/
username_attribute = sub
"""


class Tokens:
    """Issues tokens as an identity provider does.

    See Also:
        RFC 7519, https://www.rfc-editor.org/rfc/rfc7519
        https://doc.dovecot.org/2.3/configuration_manual/authentication/oauth2/
    """

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def write_config(self, root: Path) -> str:
        """Write what Dovecot needs below `root`; give the lines of its configuration."""
        place = root / "token-keys" / "default" / "HS256"
        place.mkdir(parents=True)
        (place / "default").write_bytes(base64.b64encode(self._key))
        (root / "oauth2.conf").write_text(OAUTH2.format(root=root))
        return CONFIG.format(root=root)

    def issue(self, user: str, seconds: int = 3600) -> str:
        """Issue a token for this user; with negative `seconds` one that has expired."""
        now = int(time.time())
        head = _word({"alg": "HS256", "typ": "JWT"})
        body = _word({"sub": user, "iat": now - 10, "nbf": now - 10, "exp": now + seconds})
        signature = hmac.digest(self._key, head + b"." + body, hashlib.sha256)
        return b".".join((head, body, _base64(signature))).decode()


def _word(value: object) -> bytes:
    return _base64(json.dumps(value).encode())


def _base64(content: bytes) -> bytes:
    return base64.urlsafe_b64encode(content).rstrip(b"=")
