"""Whether our own mail server takes a mail for spam: what its filter wrote into the header.

A filter may stand at any server on the way, and a provider that marks what goes out must not silence the writer. So a
field counts where our own server may have written it: above the first hop that is not ours, or, as filters that are
attached to a server (milters) do it, below the fields of the writer. What stands among the hops of others does not.
"""

import re
from collections.abc import Iterator, Sequence

from mailroom.mail.authentication import MICROSOFT_365, WRITTEN, is_ours, named_hop

# SpamAssassin and what imitates it (https://spamassassin.apache.org/full/4.0.x/doc/Mail_SpamAssassin_Conf.html),
# rspamd (https://rspamd.com/doc/modules/milter_headers.html), Bogofilter, DSPAM, CRM114.
_SAYS = {
    "x-spam-flag": re.compile(r"\s*yes\b", re.IGNORECASE),
    "x-spam-status": re.compile(r"\s*yes\b", re.IGNORECASE),
    "x-spam": re.compile(r"\s*yes\b", re.IGNORECASE),
    "x-bogosity": re.compile(r"\s*(?:spam|yes)\b", re.IGNORECASE),
    "x-dspam-result": re.compile(r"\s*spam\b", re.IGNORECASE),
    "x-crm114-status": re.compile(r"\s*spam\b", re.IGNORECASE),
}
# Exchange: 5 and more is spam, 9 surely; -1 is mail of our own organisation.
# https://learn.microsoft.com/en-us/defender-office-365/anti-spam-spam-confidence-level-scl-about
_LEVEL = re.compile(r"\s*([5-9])\s*$")
_FOREFRONT = re.compile(r"(?:^|;)\s*(?:SCL:[5-9]|SFV:SPM)\s*(?:;|$)")


def spam_sign(fields: Sequence[tuple[str, str]], authserv_id: str) -> str | None:
    """Name the field by which our own server calls this mail spam; None when it does not.

    `fields` are the unfolded header fields, topmost first, names in lower case. `authserv_id` tells which hops are
    ours; without it the topmost named one is.
    """
    return next((name for name, value in _ours(fields, authserv_id) if _is_spam(name, value, authserv_id)), None)


def _is_spam(name: str, value: str, authserv_id: str) -> bool:
    if name == "x-ms-exchange-organization-scl":  # Exchange takes it off mail that comes from outside
        return bool(_LEVEL.match(value))
    if name == "x-forefront-antispam-report":  # stays on mail that Microsoft sends for others
        return authserv_id == MICROSOFT_365 and bool(_FOREFRONT.search(value))
    said = _SAYS.get(name)
    return bool(said and said.match(value))


def _ours(fields: Sequence[tuple[str, str]], authserv_id: str) -> Iterator[tuple[str, str]]:
    """Leave out what stands among the hops of others."""
    foreign, first = False, ""
    for name, value in fields:
        if name == "received":
            host = named_hop(value) or ""
            first = first or host
            foreign = foreign or (host != "" and not is_ours(host, authserv_id or first))
        elif name in WRITTEN:
            foreign = False
        elif not foreign:
            yield name, value
