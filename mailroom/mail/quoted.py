"""What the writer wrote: without the history that mailers quote, signatures and the footers of phones.

Libraries were tried and turned down. mail-parser-reply 1.36 must be told the language, knows no Portuguese, Russian,
Arabic or Hindi, and cuts a threat that Outlook forwarded as if it were history. email-reply-parser 0.5.12 knows
English only, and drops quoted lines at the end, which in a complaint are often the threat itself. Here a line is
dropped only for a reason that is written down below, and every look at a line costs bounded time.

See Also:
    The signature separator: RFC 3676 section 4.3, https://www.rfc-editor.org/rfc/rfc3676#section-4.3
"""

import functools
import re
from dataclasses import dataclass

from mailroom.mail.clients import BEGINS, FROM, NAMES_A_THING, ORIGINAL, SENT, WROTE, footer_pattern
from mailroom.mail.disclaimer import without_disclaimer

_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_QUOTED = re.compile(r" {0,3}>")
_COLONS = (":", "：")

# An attribution ends in a colon, says "wrote" or ends in the address, and names an address in brackets, or a time and
# a date after a beginning that clients have.
_ATTRIBUTION_LINES = 4
_ATTRIBUTION_LENGTH = 400
_WORDS_LENGTH = 20
# After so many lines that end in a colon no more are looked at: that is no mail, and the look is dear.
_MOST_ATTRIBUTIONS = 1000
_ADDRESS = re.compile(r"[^\s<>@\"\[\]]{1,64}@[^\s<>@\"\[\]]{1,255}")
# A client puts the address into brackets; a person who tells what was written to her seldom does.
_BRACKETED = re.compile(r"[<\[(][^\s<>@]{1,64}@[^\s<>@]{1,255}[>\])]")
_ENDS_IN_ADDRESS = re.compile(r"[<\[][^\s<>@]{1,64}@[^\s<>@]{1,255}[>\]]\s?[:：]$")
_TIME = re.compile(r"\d{1,2}\s?[:.：hH]\s?\d{2}|\d{1,2}\s?[點点時时]")
_DATE = re.compile(r"\d{4}|\d{1,2}[./-]\d{1,2}[./-]\d{2}")
# How far the colon of a field such as "From:" may stand.
_FIELD_LENGTH = 60
_ADDRESSED_FIELD = re.compile(r"[^:：\n]{1,40}[:：].{0,300}[<\[(][^\s<>@]{1,64}@[^\s<>@]{1,255}[>\])]")
# The block that Outlook and others put over a quoted mail: who and when, in either order, within so many lines.
_HEADER_LINES = 6
_RULE = re.compile(r"\s*[_*-]{10,}\s*")

_SIGNATURE_LINES = 12
# Some mailers eat the blank of the separator; then it must stand alone, and little may follow, and no sentence.
_BARE_SIGNATURE_LINES = 5

_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "।", "؟", "۔")

_FOOTER_LENGTH = 400
_LINK = re.compile(r"\s?<\S{1,300}>")


def own_text(text: str, *, answer: bool = True) -> str:
    """Give what the writer wrote. When nothing would be left, the whole text: better too much than silence.

    Dropped: an attribution ("On ... wrote:") with the quote after it, when that runs to the end or opens the mail;
    a signature after "-- "; the footer of a phone; a company's notice at the end. When the mail is an `answer`, also
    quoted lines at its beginning or end without attribution, and what follows Outlook's "From: / Sent:" or
    "Original Message".
    Kept: every quote between the writer's own lines, and one that the writer's own line with a colon introduces: it
    may be what was done to them.
    """
    whole = _without_signature(without_disclaimer(text.split("\n")))
    lines = _without_end(_Lines.of(whole), answer=answer)
    lines = _without_beginning(_Lines.of(lines), answer=answer)
    lines = _without_signature(lines if len(lines) == len(whole) else without_disclaimer(lines))
    lines = _without_footer(lines)
    return "\n".join(lines).strip() or text.strip()


@dataclass(frozen=True, slots=True)
class _Lines:
    """The lines, and where the last quoted one and the last own one stand (-1 for none)."""

    lines: list[str]
    last_quoted: int
    last_own: int

    @classmethod
    def of(cls, lines: list[str]) -> "_Lines":
        quoted = own = -1
        for number, line in enumerate(lines):
            if _QUOTED.match(line):
                quoted = number
            elif line.strip():
                own = number
        return cls(lines, quoted, own)


def _without_end(text: _Lines, *, answer: bool) -> list[str]:
    """Cut at the first line where history begins that runs to the end, unless the writer introduces it."""
    left = _MOST_ATTRIBUTIONS
    for number, line in enumerate(text.lines):
        if answer and (_is_original(line) or _is_header_block(text.lines, number)):
            return _unless_introduced(text.lines, number)
        if left and _BIDI.sub("", line[-20:]).rstrip().endswith(_COLONS):
            left -= 1
            first = _attribution(text.lines, number, answer=answer)
            if first is not None and _is_history(text, (first, number), answer=answer):
                return _unless_introduced(text.lines, first)
    return _without_last_quote(text) if answer else text.lines


def _is_history(text: _Lines, attribution: tuple[int, int], *, answer: bool) -> bool:
    """Tell whether all after an attribution is quoted, or, in an answer, nothing: some mailers set no marks."""
    first, last = attribution
    if text.last_quoted > last:
        return text.last_own <= last
    return answer and text.last_own > last and any(map(_ADDRESS.search, text.lines[first : last + 1]))


def _attribution(lines: list[str], last: int, *, answer: bool) -> int | None:
    """Find the first line of the attribution whose last line is this one; None when it is none."""
    # "a écrit" may be broken in two.
    end = _plain(f"{lines[last - 1][-_WORDS_LENGTH:] if last else ''} {lines[last][-_ATTRIBUTION_LENGTH:]}")
    if not (WROTE.search(end) or _ENDS_IN_ADDRESS.search(end)):
        return None
    joined = ""
    nearest = None
    for number in range(last, max(-1, last - _ATTRIBUTION_LINES), -1):
        line = _plain(lines[number][: _ATTRIBUTION_LENGTH + 1])
        joined = f"{line} {joined}".strip()
        if not line or _QUOTED.match(line) or len(joined) > _ATTRIBUTION_LENGTH:
            break
        if _is_attribution(joined, answer=answer):
            if BEGINS.match(line):
                return number
            nearest = number if nearest is None else nearest
    return nearest


def _plain(line: str) -> str:
    return _BIDI.sub("", line).replace("\xa0", " ").strip()


def _is_attribution(line: str, *, answer: bool) -> bool:
    timed, dated = _TIME.search(line), _DATE.search(line)
    if _ENDS_IN_ADDRESS.search(line):
        return bool(timed or dated)
    if not WROTE.search(line):
        return False
    if "@" in line and _BRACKETED.search(line):
        return bool(timed or dated or answer)
    return answer and bool(timed and dated and BEGINS.match(line))


def _is_original(line: str) -> bool:
    """Tell a line such as "--- Original Message ---", or "--- On Tue ... wrote ---"."""
    bare = line[:_ATTRIBUTION_LENGTH].strip()
    if not (bare.startswith("--") and bare.endswith("--")):
        return False
    words = bare.strip("- \xa0")
    return words.casefold() in ORIGINAL or ("@" in words and bool(WROTE.search(words) and _ADDRESS.search(words)))


def _is_header_block(lines: list[str], number: int) -> bool:
    """Tell whether quoted mail begins here: its From and Sent; in an unknown language, an address under a rule."""
    name = _field(lines[number])
    under_rule = bool(name) and number > 0 and _RULE.fullmatch(lines[number - 1][:_ATTRIBUTION_LENGTH])
    if not (name in FROM or name in SENT or under_rule):
        return False
    following = [_field(line) for line in lines[number + 1 : number + _HEADER_LINES]]
    if (name in FROM and not SENT.isdisjoint(following)) or (name in SENT and not FROM.isdisjoint(following)):
        return True
    return bool(under_rule and _ADDRESSED_FIELD.match(lines[number]) and all(following[:2]) and len(following) > 1)


def _field(line: str) -> str:
    """Give the name of the field that a line begins with, folded; "" when it begins with none."""
    name, colon, _ = line[:_FIELD_LENGTH].replace("：", ":").partition(":")
    bare = _BIDI.sub("", name).strip(" *_-\t\xa0") if colon else ""
    return bare.casefold() if bare[:1].isalpha() else ""


def _without_rule(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or _RULE.fullmatch(lines[end - 1][:_ATTRIBUTION_LENGTH])):
        end -= 1
    return lines[:end]


def _unless_introduced(lines: list[str], history: int) -> list[str]:
    """Cut where history begins; all stays when the line above ends in a colon: it may be what was done to them."""
    own = _without_rule(lines[:history])
    return lines if own and own[-1].rstrip().endswith(_COLONS) and not _QUOTED.match(own[-1]) else own


def _without_last_quote(text: _Lines) -> list[str]:
    """Drop quoted lines at the end, unless the writer introduces them with a colon."""
    introduced = text.last_own >= 0 and text.lines[text.last_own].rstrip().endswith(_COLONS)
    return text.lines if introduced else text.lines[: text.last_own + 1]


def _without_beginning(text: _Lines, *, answer: bool) -> list[str]:
    """Drop a quote that the answer stands under; where answers and quotes take turns, all is kept."""
    first = next((number for number, line in enumerate(text.lines) if line.strip()), 0)
    quote = next((number for number in range(first, len(text.lines)) if _QUOTED.match(text.lines[number])), -1)
    above = [number for number in range(first, max(quote, 0)) if text.lines[number].strip()]
    attributed = bool(above) and _attribution(text.lines, above[-1], answer=answer) == first
    if quote < 0 or not (attributed or (answer and not above)):
        return text.lines
    own = next(
        (n for n in range(quote, len(text.lines)) if text.lines[n].strip() and not _QUOTED.match(text.lines[n])), -1
    )
    return text.lines[own:] if own > text.last_quoted else text.lines


def _without_signature(lines: list[str]) -> list[str]:
    end = _end(lines)
    for number in range(end - 1, max(-1, end - 2 - _SIGNATURE_LINES), -1):
        if lines[number] == "-- ":
            return lines[:number]
    bare = [number for number, line in enumerate(lines) if line == "--"]
    if len(bare) == 1 and bare[0] > 0 and end - bare[0] - 1 <= _BARE_SIGNATURE_LINES:
        tells = any(line.rstrip().endswith(_SENTENCE_ENDS) for line in lines[bare[0] : end])
        return lines if tells else lines[: bare[0]]
    return lines


def _end(lines: list[str]) -> int:
    """Count the lines without the blank ones at the end."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return end


def _without_footer(lines: list[str]) -> list[str]:
    """Drop up to two last lines that a phone wrote; a sentence of the writer never fits the whole pattern."""
    for _ in range(2):
        lines = lines[: _end(lines)]
        if lines and len(lines[-1]) <= _FOOTER_LENGTH and _is_footer(_BIDI.sub("", lines[-1])):
            lines = lines[:-1]
    return lines


def _is_footer(line: str) -> bool:
    # The whole pattern takes 0.1 s to compile, and nearly every mail can do without.
    return bool(NAMES_A_THING.search(line) and _footer().fullmatch(_LINK.sub("", line)))


@functools.cache
def _footer() -> re.Pattern[str]:
    return footer_pattern()
