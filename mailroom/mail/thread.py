"""What ties a mail to an earlier one: our case reference, our message ids, signs of an answer."""

import re
from collections.abc import Iterator

from mailroom.mail.message import Message

_MOST = 10
_FIRST_LINES = 40
_DASH = "[-\u00ad\u2010-\u2015\u2212]?"
_GROUP = "[0-9A-TV-Z]{4}"
# Four, four and the check letter, in the letters of Crockford's alphabet and those that are read as one of them.
_SHAPE = f"({_GROUP}){_DASH}({_GROUP}){_DASH}([0-9A-TV-Z])"
_BRACKETED = re.compile(rf"\[\s*{_SHAPE}\s*\]", re.IGNORECASE | re.ASCII)
# Without brackets the dashes are needed, else every word of nine letters would be one.
_BARE = re.compile(rf"(?<![\w-])({_GROUP})-({_GROUP})-([0-9A-TV-Z])(?![\w-])", re.IGNORECASE | re.ASCII)
_OURS = re.compile("[a-z2-7]{24}")  # as records/cases.py derives them
_READ_AS = str.maketrans("ILO", "110")

_ANSWER = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(re|ré|rép|aw|antw|antwort|sv|odp|vá|απ|σχετ|yanıt|bal|balas|trả lời|res"
    r"|resp|ref|rif|ris|r|ynt|atb|bls|відп|отв|ответ|на"
    r"|رد|الرد|回复|回覆|答复|答覆|返信|답장|회신|उत्तर|উত্তর|پاسخ|תגובה|השב|ตอบ|ตอบกลับ)\s*(?:(?:\[\d{1,3}\]|\(\d{1,3}\))\s*)?[:：]",
    re.IGNORECASE,
)
# "VS" is an answer in Finnish and a forwarded mail in Danish and Norwegian: a threat that is passed on must stay whole.
_FORWARD = re.compile(
    r"\s*(?:\[[^\]]{1,40}\]\s*)?(fw|fwd|wg|tr|trs|rv|reenv|enc|i|pd|tov|továbbítva|vb|vl|vs|fs|doorst|iml|ilt|İlt|пересл|fyi|πρθ"
    r"|إعادة توجيه|转发|轉寄|轉發|転送|전달|अग्रेषित|ফরওয়ার্ড|هدایت|ارسال|הועבר|ส่งต่อ|chuyển tiếp)\s*[:：]",
    re.IGNORECASE,
)


def reference_candidates(message: Message) -> tuple[str, ...]:
    """Give what is shaped like a case reference, as `K7QD-3M9X-T`, likeliest first; the check letter is not tested.

    References in square brackets in the subject; when there is none, those in the first 40 lines of the text,
    in brackets or written out with both dashes. Lower case and missing dashes are forgiven, I and L are read
    as 1, O as 0 (https://www.crockford.com/base32.html).
    """
    found = tuple(_references(_BRACKETED, message.subject))
    if not found:
        beginning = "\n".join(message.text.split("\n", _FIRST_LINES)[:_FIRST_LINES])
        found = (*_references(_BRACKETED, beginning), *_references(_BARE, beginning))
    return tuple(dict.fromkeys(found))[:_MOST]


def our_ids(message: Message, domain: str) -> tuple[str, ...]:
    """Give the ids among the references that were made at `domain`, the domain of our address."""
    ours = domain.lower()
    return tuple(each for each in message.references if each.rpartition("@")[2].lower() == ours and "@" in each)


def is_answer(subject: str, references: tuple[str, ...]) -> bool:
    """Tell whether a mail answers an earlier one, rather than beginning a story or passing one on."""
    if is_forward(subject):
        return False
    return bool(references) or bool(_ANSWER.match(subject))


def is_forward(subject: str) -> bool:
    """Tell whether the subject says that somebody passes a mail on."""
    return bool(_FORWARD.match(subject))


def _references(shape: re.Pattern[str], text: str) -> Iterator[str]:
    for groups in shape.findall(text):
        yield "-".join(groups).upper().translate(_READ_AS)


def is_id_of_ours(message_id: str, domain: str) -> bool:
    """Whether a Message-ID (bare) has the form of those that our own letters have; anybody can write such a one."""
    local, _, place = message_id.rpartition("@")
    return place.lower() == domain and _OURS.fullmatch(local) is not None
