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

_BIDI = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_QUOTED = re.compile(r" {0,3}>")
_COLONS = (":", "：")

# An attribution ends in a colon, says "wrote" or ends in the address, and names an address, or a time and a date.
_ATTRIBUTION_LINES = 4
_ATTRIBUTION_LENGTH = 400
_WROTE = re.compile(
    r"\bwrote\b|\bescribi[óo]\b|\ba écrit\b|\bescreveu\b|\bschrieb\b|\bha scritto\b|\bнаписал|\bпишет?\b|\bнаписав"
    r"|كتب|كتابة|लिखा|写道|寫道|写了|寫了|のメール|書きました|님이 작성|\bskrev\b|\bschreef\b|\bnapisał|\byazdı\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"[^\s<>@\"\[\]]{1,64}@[^\s<>@\"\[\]]{1,255}")
_ENDS_IN_ADDRESS = re.compile(r"[<\[][^\s<>@]{1,64}@[^\s<>@]{1,255}[>\]]\s?[:：]$")
_TIME = re.compile(r"\d{1,2}\s?[:.：hH]\s?\d{2}|\d{1,2}\s?[點点時时]")
_DATE = re.compile(r"\d{4}|\d{1,2}[./-]\d{1,2}[./-]\d{2}")
_BEGINS = re.compile(
    r"(on|el|le|em|am|il|in data|op|den|dnia|w dniu|dne|в|у|في|à|a)\s|[^\s\d,،]{1,14}[.,،]{1,2}\s?\d|\d", re.IGNORECASE
)

_ORIGINAL = re.compile(
    r"\s*-{2,}\s*(original message|mensaje original|message d.origine|message original|mensagem original"
    r"|ursprüngliche nachricht|original-?nachricht|messaggio originale|исходное сообщение|oryginalna wiadomość"
    r"|orijinal ileti|orijinal mesaj|原始邮件|原始郵件|元のメッセージ|الرسالة الأصلية|मूल संदेश"
    r"|원본 메[시세]지)\s*-{2,}\s*",
    re.IGNORECASE,
)
# The block that Outlook puts over a quoted mail: who, and within a few lines when.
_HEADER_LINES = 6
_FROM = re.compile(
    r"\W{0,4}(from|de|von|da|от|від|van|kimden|gönderen|من|प्रेषक|差出人|发件人|寄件者|보낸 ?사람)\W{0,2}[:：]",
    re.IGNORECASE,
)
_SENT = re.compile(
    r"\W{0,4}(sent|date|enviad[oa]( el| em)?|fecha|envoyé( le)?|data|gesendet|datum|inviato|отправлено|дата|надіслано"
    r"|verzonden|tarih|gönderildi|تم الإرسال|تاريخ الإرسال|أرسلت|التاريخ|भेजा गया|दिनांक"
    r"|送信日時|日時|发送时间|日期|寄件日期|보낸 ?날짜)\W{0,2}[:：]",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*[_*-]{10,}\s*")

_SIGNATURE_LINES = 12
# Some mailers eat the blank of the separator; then it must stand alone and little may follow.
_BARE_SIGNATURE_LINES = 5

_THING = (
    r"(?:apple|google|microsoft|sony|motorola|iphone|ipad|android|galaxy|samsung|huawei|xiaomi|redmi|pixel|nokia"
    r"|blackberry|windows|ios|outlook|yahoo|proton|protonmail|gmail|gmx|web\.de|mail|e-mail|app|phone|mobile|smartphone"
    r"|tablet|móvil|celular|telemóvel|portable|téléphone|handy|cellulare|телефона?|почты|الهاتف|هاتفي|آيفون|फ़ोन|फोन|手机|手機)"
)
_DEVICE = rf"{_THING}(?:\s(?:{_THING}|[a-z+]{{0,3}}\d[\w+]{{0,8}})){{0,4}}"
_FOOTERS = (
    "sent from my D", "sent from D", "sent from D (for|on) D", "sent via( the)? D", "sent with D( secure email)?",
    "get outlook for D", "enviado desde (mi )?D", "enviado desde D (para|en) D", "enviado con D",
    "obtener outlook para D", "obtén outlook para D", "enviado d[oe] (meu )?D", "enviada do meu D",
    "obter o outlook para D", "envoyé (de|depuis) (mon )?D", "envoyé à partir de D( pour D)?",
    "envoyé depuis D pour D", "(télécharger|obtenez) outlook pour D", "von (meinem|meiner) D gesendet",
    "gesendet (von|mit)( meinem| meiner| der)? D( für D)?", "outlook für D herunterladen", "inviato da(l mio)? D",
    "(scarica|ottieni) outlook per D", "отправлено с (моего )?D", "отправлено из (мобильной )?D",
    "أُ?رسلت? من (الـ ?|ال|جهاز )?D", "مرسل من D", "मेरे D से भेजा गया",
    "发自(我的)? ?D", "發自我的 ?D", "從我的 ?D ?傳送", "D ?から送信", "내 D에서 보냄", "D['’]?\\w{0,6} gönderildi",
)  # fmt: skip
_FOOTER_LENGTH = 400
_NAMES_A_THING = re.compile(_THING, re.IGNORECASE)


def own_text(text: str, *, answer: bool = True) -> str:
    """Give what the writer wrote. When nothing would be left, the whole text: better too much than silence.

    Dropped: an attribution ("On ... wrote:") with the quote after it, when that runs to the end or opens the mail;
    a signature after "-- "; the footer of a phone. When the mail is an `answer`, also quoted lines at its beginning
    or end without attribution, and what follows Outlook's "From: / Sent:" or "Original Message".
    Kept: every quote between the writer's own lines, and one that the writer's own line with a colon introduces: it
    may be what was done to them.
    """
    lines = _without_signature(text.split("\n"))
    lines = _without_end(_Lines.of(lines), answer=answer)
    lines = _without_beginning(_Lines.of(lines), answer=answer)
    lines = _without_footer(_without_signature(lines))
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
    """Cut at the first line where history begins that runs to the end."""
    for number, line in enumerate(text.lines):
        if answer and (_ORIGINAL.fullmatch(line[:_ATTRIBUTION_LENGTH]) or _is_header_block(text.lines, number)):
            return _without_rule(text.lines[:number])
        if _BIDI.sub("", line[-20:]).rstrip().endswith(_COLONS):
            first = _attribution(text.lines, number, answer=answer)
            if first is not None and _is_history(text, number, answer=answer):
                return text.lines[:first]
    return _without_last_quote(text) if answer else text.lines


def _is_history(text: _Lines, attribution: int, *, answer: bool) -> bool:
    """Tell whether all after an attribution is quoted, or, in an answer, nothing: some mailers set no marks."""
    if text.last_quoted > attribution:
        return text.last_own <= attribution
    return answer and text.last_own > attribution and bool(_ADDRESS.search(text.lines[attribution]))


def _attribution(lines: list[str], last: int, *, answer: bool) -> int | None:
    """Find the first line of the attribution whose last line is this one; None when it is none."""
    end = _BIDI.sub("", lines[last][-_ATTRIBUTION_LENGTH:]).rstrip()
    if not (_WROTE.search(end) or _ENDS_IN_ADDRESS.search(end)):
        return None
    joined = ""
    nearest = None
    for number in range(last, max(-1, last - _ATTRIBUTION_LINES), -1):
        line = _BIDI.sub("", lines[number][: _ATTRIBUTION_LENGTH + 1]).strip()
        joined = f"{line} {joined}".strip()
        if not line or _QUOTED.match(line) or len(joined) > _ATTRIBUTION_LENGTH:
            break
        if _is_attribution(joined, answer=answer):
            if _BEGINS.match(line):
                return number
            nearest = number if nearest is None else nearest
    return nearest


def _is_attribution(line: str, *, answer: bool) -> bool:
    timed, dated = _TIME.search(line), _DATE.search(line)
    if _ENDS_IN_ADDRESS.search(line):
        return bool(timed or dated)
    if not _WROTE.search(line):
        return False
    return bool(_ADDRESS.search(line)) or (answer and bool(timed and dated))


def _is_header_block(lines: list[str], number: int) -> bool:
    if not _FROM.match(lines[number]):
        return False
    return any(_SENT.match(line) for line in lines[number + 1 : number + _HEADER_LINES])


def _without_rule(lines: list[str]) -> list[str]:
    end = len(lines)
    while end and (not lines[end - 1].strip() or _RULE.fullmatch(lines[end - 1][:_ATTRIBUTION_LENGTH])):
        end -= 1
    return lines[:end]


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
        return lines[: bare[0]]
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
    return bool(_NAMES_A_THING.search(line) and _footer().fullmatch(line))


@functools.cache
def _footer() -> re.Pattern[str]:
    any_of_them = "|".join(_FOOTERS).replace("D", _DEVICE)
    return re.compile(rf"\s*(?:{any_of_them})\s?[.!]?\s?(?:<\S{{0,300}}>)?\s*", re.IGNORECASE)
