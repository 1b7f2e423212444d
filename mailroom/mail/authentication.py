"""Whose word about the sender we believe: the Authentication-Results of our own mail server, and no other.

Anyone can write an Authentication-Results field into a mail before sending it. What our server wrote stands
above what came in, so only the first run of such fields counts, and only while nothing but hops of our own
server stands above it. The one file that imports authres.

Ours is a Received field whose `by` host is the authserv-id, or in its domain: `mx.example.org` makes hosts of
`example.org` ours. Above these, hops without a host name (`by 2002:a05::1`, `by localhost`) are hand-overs inside
the mailbox provider: nobody else can write at the very top.

Two places, two degrees of trust:
- Fields above all Received fields were written by the server that gave us the mail. All are believed.
- Below a Received of ours, the sender's own first field may follow directly on our server's field. A server must
  remove forgeries (RFC 8601 section 5, https://www.rfc-editor.org/rfc/rfc8601#section-5), not all do. So the first
  field is believed whole, and of the fields that follow it only what they call failed: a forger gains nothing.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from authres import all_features
from authres.core import AuthenticationResult, AuthenticationResultsHeader, AuthResError

from mailroom.mail.addresses import addresses
from mailroom.mail.message import AuthenticationState

MICROSOFT_365 = "none-m365"
"""The configured authserv-id for Microsoft 365, which writes the field without one."""

_MICROSOFT_DOMAINS = ("outlook.com", "office365.com")
_FIELD = "authentication-results"
#: A field of the writer's own ends the trace block (RFC 5322 section 3.6.7, RFC 8601 section 4).
WRITTEN = frozenset({"from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "mime-version"})
_BY_HOST = re.compile(r"(?:^|\s)by\s+([^\s;()]+)", re.IGNORECASE)
_HOST_NAME = re.compile(r"(?=.*[a-z])(?!localhost)[a-z0-9_-]+(\.[a-z0-9_-]+)+", re.IGNORECASE)
# authres calls itself for every opened parenthesis, and copies the rest of the field for every token.
_LONGEST, _DEEPEST = 16_384, 100


@dataclass(frozen=True, slots=True)
class _Result:
    """One `method=result` clause with the domain that it speaks about."""

    method: str
    outcome: str
    domain: str


def verdict(fields: Sequence[tuple[str, str]], sender: str | None, authserv_id: str) -> AuthenticationState:
    """Say whether our own mail server vouches for the domain of `sender`, the bare From address.

    `fields` are the unfolded header fields, topmost first, names in lower case. `authserv_id` is configured;
    with "" nothing is believed.

    DMARC for exactly the From domain decides, if it came to pass, fail or an error (temperror and permerror give
    `none`). Without DMARC (absent, or `none`: the domain has no policy) the DKIM and SPF results for the From
    domain do: any pass gives `pass`; else a temperror leaves it open; else a fail gives `fail`. Softfail, neutral and
    the like say too little to hold an answer back (RFC 7208 section 8.5). Aligned is a domain equal to the From
    domain, above it or below it, with at least two labels (RFC 7489 section 3.1.1, without a list of public suffixes).
    `pass` needs a mail with exactly one From address: with two, nobody knows which one was checked.
    """
    domain = _domain(sender or "")
    if not domain or not authserv_id:
        return "none"
    results = [result for result in _believed(fields, authserv_id.lower()) if _aligned(result.domain, domain)]
    state = _by_dmarc([result for result in results if result.domain == domain]) or _by_dkim_and_spf(results)
    return "none" if state == "pass" and not _one_author(fields) else state


def _by_dmarc(results: Sequence[_Result]) -> AuthenticationState | None:
    outcomes = [result.outcome for result in results if result.method == "dmarc"]
    decided = [outcome for outcome in outcomes if outcome in {"pass", "fail", "temperror", "permerror"}]
    if not decided:
        return None
    if decided[0] == "pass":
        return "pass"
    return "fail" if decided[0] == "fail" else "none"


def _by_dkim_and_spf(results: Sequence[_Result]) -> AuthenticationState:
    outcomes = {result.outcome for result in results if result.method in {"dkim", "spf"}}
    if "pass" in outcomes:
        return "pass"
    return "fail" if "fail" in outcomes and "temperror" not in outcomes else "none"


def _believed(fields: Sequence[tuple[str, str]], authserv_id: str) -> Iterator[_Result]:
    """Give the results of our own server, topmost first."""
    run, topmost = _first_run(fields, authserv_id)
    for position, value in enumerate(run):
        whole = topmost or position == 0
        yield from (result for result in _parsed(value, authserv_id) if whole or result.outcome == "fail")


def _first_run(fields: Sequence[tuple[str, str]], authserv_id: str) -> tuple[list[str], bool]:
    """Find the first run of consecutive Authentication-Results below hops of ours only, and if it is above them all."""
    run: list[str] = []
    hops = named = 0
    for name, value in fields:
        if name == _FIELD:
            run.append(value)
        elif run or name in WRITTEN:
            break
        elif name == "received":
            hops += 1
            by = _by_host(value)
            if is_ours(by, authserv_id):
                named += 1
            elif named or _HOST_NAME.fullmatch(by):
                break
    return run, hops == 0


def named_hop(received: str) -> str | None:
    """Give the host that wrote this Received field; None for a hand-over inside a server, which names none."""
    host = _by_host(received)
    return host if _HOST_NAME.fullmatch(host) else None


def _by_host(received: str) -> str:
    match = _BY_HOST.search(_without_comments(received))
    return match[1].rstrip(".").lower() if match else ""


def _without_comments(value: str) -> str:
    """Drop comments: the client chooses the name that it says in HELO, and that stands in one."""
    kept, depth = [], 0
    for character in value:
        depth += character == "("
        if depth == 0:
            kept.append(character)
        depth -= character == ")" and depth > 0
    return "".join(kept)


def is_ours(host: str, authserv_id: str) -> bool:
    """Tell whether a host that wrote a Received field is the one with this authserv-id, or stands in its domain."""
    if authserv_id == MICROSOFT_365:
        return any(_within(host, domain) for domain in _MICROSOFT_DOMAINS)
    parent = authserv_id.partition(".")[2]
    return _within(host, parent if "." in parent else authserv_id)


def _parsed(value: str, authserv_id: str) -> list[_Result]:
    """Read one field; nothing of it when it is damaged, or another server's."""
    text = " ".join(value.split()).rstrip("; ")
    if authserv_id == MICROSOFT_365:
        text = f"{MICROSOFT_365}; {text}"
    if len(text) > _LONGEST or text.count("(") > _DEEPEST:
        return []
    try:
        header = AuthenticationResultsHeader.parse_value(all_features(), text)
    except AuthResError:
        return []
    return [_result(clause) for clause in header.results] if header.authserv_id == authserv_id else []


def _result(clause: AuthenticationResult) -> _Result:
    found = {(p.type, p.name): str(p.value or "") for p in reversed(clause.properties)}
    names = {
        "dmarc": [("header", "from")],
        "dkim": [("header", "d"), ("header", "i")],
        "spf": [("smtp", "mailfrom")],
    }.get(clause.method, [])
    domains = [_domain(found[name]) for name in names if name in found]
    return _Result(clause.method, clause.result, domains[0] if domains else "")


def _domain(address: str) -> str:
    return address.rpartition("@")[2].strip().rstrip(".").lower()


def _within(host: str, domain: str) -> bool:
    return host == domain or host.endswith(f".{domain}")


def _aligned(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return _within(longer, shorter) and ("." in shorter or one == other)


def _one_author(fields: Sequence[tuple[str, str]]) -> bool:
    values = [value for name, value in fields if name == "from"]
    authors = addresses(values)
    return len(values) == len(authors) == 1 and "@" in authors[0]
