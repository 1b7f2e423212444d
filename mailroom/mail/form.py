"""Structured mails, such as the report of a wiki: what stands in which field, by a description given as data.

A form is known by its lines, never by its subject. Fields come first; the last of them, the free text, runs to the end
of the mail, but for one last line that may be peeled off. So nothing in the free text is ever taken for a field,
whatever it looks like. Time is linear in the text; nothing raises.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from mailroom.mail.body import read_body
from mailroom.mail.entity import Entity
from mailroom.mail.message import Form, Message

DETAILS = "details"
_END = "end"
_SEPARATORS = {"--", "---"}  # what a program adds below stands after one of these
_FOOTER_LINES = 8
_HEAD_LINES = 60  # all fields before the free text stand in so many lines
_FIRST_LINES = 12  # and one of them in these
_LONGEST_LABEL = 120
_LONGEST_VALUE = 2000
_MOST_LINKS = 10

_COLON = re.compile("[:：]")
_LINK = re.compile(r"https?://[^\s<>\"]{1,2000}", re.IGNORECASE)
_PART = r"[^\s<>()\[\]\",;:@]{1,64}"
_ADDRESS = re.compile(rf"(?:[^<>@]{{0,200}}<)?({_PART})@([^\s<>()\[\]\",;:@]{{1,255}})>?")
_AROUND_LABEL = " \t*•-–"


@dataclass(frozen=True, slots=True)
class Shape:
    """The description of one form, ready to be read by; `triage.forms` makes it of YAML.

    `senders` are addresses, or domains that begin with @, in lower case. `person` is `reply-to`, or `email` for the
    field. `order` holds the fields line by line and ends with `details`; when it is empty, they come in any order, and
    `needs` must be there. `labels` gives (field, language) of a folded label; the field `end` is the last line. `mark`
    is text that only the last line holds: with it the places of the lines are enough, in any language. `choices` gives
    the (category, flags) of a folded choice.
    """

    id: str
    senders: frozenset[str] = frozenset()
    person: str = "reply-to"
    order: tuple[str, ...] = ()
    needs: frozenset[str] = frozenset()
    mark: str = ""
    labels: Mapping[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    choices: Mapping[str, tuple[str | None, tuple[str, ...]]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class _Filled:
    """The values of the fields, `details` among them, the language of the labels, and lines that are no field."""

    values: Mapping[str, str]
    language: str | None
    rest: Sequence[str] = ()


def fold(label: str) -> str:
    """Write a label or a choice as it is compared: no case, no blanks around it, fullwidth letters as usual ones."""
    usual = label if label.isascii() else unicodedata.normalize("NFKC", label)
    return " ".join(usual.casefold().strip(_AROUND_LABEL).split())


def read_form(entity: Entity, message: Message, shapes: Sequence[Shape]) -> Form | None:
    """Read a structured mail; None when it is like none of `shapes`. The first that fits counts.

    `entity` is what the text of `message` was read from: the free text may hold what looks like a quote or
    a signature, and with these would go the last line.
    """
    first = [line for line in message.text.split("\n", _FIRST_LINES)[:_FIRST_LINES] if line.strip()]
    labels = [fold(_label(line)) for line in first]
    if not any(_may_be(first, labels, shape) for shape in shapes):
        return None
    whole = read_body(entity).text.strip()
    if not whole.startswith(message.text.partition("\n")[0]):  # something stands around the form: it is a person's mail
        return None
    lines = whole.split("\n")
    found = ((shape, _filled(lines, shape)) for shape in shapes)
    return next((_form(shape, filled, message) for shape, filled in found if filled is not None), None)


def _may_be(first: Sequence[str], labels: Sequence[str], shape: Shape) -> bool:
    """Look at the first lines and their labels only: most mails are no form, and should not wait for this."""
    return any(label in shape.labels for label in labels) or (bool(shape.mark) and all(map(_pair, first[:3])))


def _label(line: str) -> str:
    """Give what may be the label of a line: what stands before the colon, or alone."""
    pair = _pair(line)
    return pair[0] if pair else line[:_LONGEST_LABEL]


def _field(line: str, shape: Shape) -> tuple[str, str]:
    """Give (field, language) of the label of a line; else two empty words."""
    return shape.labels.get(fold(_label(line)), ("", ""))


def _filled(lines: Sequence[str], shape: Shape) -> _Filled | None:
    return _in_order(lines, shape) if shape.order else _in_any_order(lines, shape)


def _pair(line: str) -> tuple[str, str] | None:
    """Cut a line into label and value, at its first colon."""
    colon = _COLON.search(line, 0, _LONGEST_LABEL)
    if colon is None or not line[: colon.start()].strip():
        return None
    return line[: colon.start()], line[colon.end() :].strip()


def _in_order(lines: Sequence[str], shape: Shape) -> _Filled | None:
    """Read fields that stand line by line; by their labels, or by place when the last line bears the mark."""
    places = [number for number, line in enumerate(lines[:_HEAD_LINES]) if line.strip()][: len(shape.order)]
    pairs = [pair for number in places if (pair := _pair(lines[number])) is not None]
    if len(pairs) < len(shape.order):
        return None
    known = [_field(lines[number], shape) for number in places]
    end = _end(lines, places[-1], shape)
    values = {name: value[:_LONGEST_VALUE] for name, (_, value) in zip(shape.order, pairs, strict=True)}
    marked = end is not None and shape.mark and shape.mark in lines[end] and _LINK.match(values.get("link", "http://x"))
    if not marked and [name for name, _ in known] != list(shape.order):
        return None
    values[DETAILS] = "\n".join([pairs[-1][1], *lines[places[-1] + 1 : end]]).strip()
    return _Filled(values, _language(known))


def _end(lines: Sequence[str], after: int, shape: Shape) -> int | None:
    """Find the line to peel from the end; None when the free text runs to it."""
    last = next((number for number in range(len(lines) - 1, after, -1) if lines[number].strip()), after)
    pair = _pair(lines[last]) if last > after else None
    if pair is None:
        return None
    known = _field(lines[last], shape)[0] == _END
    return last if known or (shape.mark and shape.mark in pair[1]) else None


def _in_any_order(lines: Sequence[str], shape: Shape) -> _Filled | None:
    """Read labelled lines up to the free text.

    A field that is there twice with different values is believed in neither.
    """
    values: dict[str, str] = {}
    languages: list[tuple[str, str]] = []
    others: list[str] = []
    waiting = ""
    for number, line in enumerate(lines[:_HEAD_LINES]):
        name, language = _field(line, shape)
        _, value = _pair(line) or ("", "")
        if name == DETAILS:
            if not shape.needs <= {*values, DETAILS}:
                return None
            below, footer = _cut_footer(lines[number + 1 :])
            values[DETAILS] = "\n".join([values.pop("subject", ""), value, *below]).strip()
            return _Filled(values, _language(languages), (*others, *footer))
        if name:
            languages.append((name, language))
            values[name] = value[:_LONGEST_VALUE] if values.get(name, value) == value else ""
            waiting = name if not value else ""
        elif waiting and line.strip():  # the value stands below its label
            values[waiting], waiting = line.strip()[:_LONGEST_VALUE], ""
        elif line.strip():
            others.append(line)
    return None


def _cut_footer(lines: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Cut off what the program wrote below the free text: some few lines after dashes."""
    last = range(len(lines) - 1, max(-1, len(lines) - 1 - _FOOTER_LINES), -1)
    cut = next((number for number in last if lines[number].strip() in _SEPARATORS), len(lines))
    return lines[:cut], lines[cut + 1 :]


def _language(known: Iterable[tuple[str, str]]) -> str | None:
    return next((language for _, language in known if language), None)


def _form(shape: Shape, filled: _Filled, message: Message) -> Form:
    values = filled.values
    choice = values.get("category")
    category, flags = shape.choices.get(fold(choice or ""), (None, ()))
    return Form(
        id=shape.id,
        details=values[DETAILS],
        named_sender=_is_sender(message.sender, shape.senders),
        language=filled.language,
        choice=choice or None,
        category=category,
        flags=flags,
        country=values.get("country") or None,
        links=tuple(dict.fromkeys(_LINK.findall(values.get("link", ""))))[:_MOST_LINKS],
        name=values.get("name") or None,
        reported=values.get("reported") or None,
        rest="\n".join(filled.rest),
        address=_reply_to(message) if shape.person == "reply-to" else _address(values.get("email", "")),
    )


def _is_sender(address: str | None, senders: frozenset[str]) -> bool:
    whole = (address or "").casefold()
    return bool(whole) and bool(senders.intersection({whole, f"@{whole.rpartition('@')[2]}"}))


def _reply_to(message: Message) -> str | None:
    """Give the one address of the one Reply-To field: with two, nobody knows which of them the form wrote."""
    written = message.all("reply-to")
    return message.reply_to if len(written) == 1 and written[0].count("@") == 1 else None


def _address(written: str) -> str | None:
    """Read the one address of a field, `Ann <ann@example.net>` too; None for several, or none."""
    found = _ADDRESS.fullmatch(written.strip()[:_LONGEST_VALUE])
    return f"{found[1]}@{found[2].lower()}" if found else None
