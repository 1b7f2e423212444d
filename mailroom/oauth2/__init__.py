"""A program of its own, `python -m mailroom.oauth2`: prints OAuth2 access tokens, for `token_command`."""
