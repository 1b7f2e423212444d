"""The texts that people receive: front matter, and a small, safe part of Jinja2. The one file that knows Jinja2.

A text may use only `{{ name }}`, `~`, `if`, `for` and `set` of a fixed word, over the variables in `VARIABLES` and
the fields of a service. So a text that was accepted cannot fail later, cannot loop for ever, and cannot show
what must not be shown: there is no variable for a name, a category or the message (PRACTICE T3, T4, T20).
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from typing import Annotated, Literal, TypeVar

from jinja2 import DictLoader, StrictUndefined, TemplateSyntaxError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import Field, field_validator

from mailroom.errors import ConfigError, Problem
from mailroom.nearest import nearest
from mailroom.referral.facts import base
from mailroom.referral.offer import Offer
from mailroom.yaml_lines import Document, Strict

Unreviewed = Literal["bilingual", "send", "never"]
T = TypeVar("T")

REQUIRED = frozenset({"full", "minimal", "receipt", "ask_key", "cannot_open"})
# What a detector or a writer may call a language, and the text that serves best when there is none of its own.
MACRO = {"pt": ("pt-BR", "pt-PT"), "zh": ("zh-Hans", "zh-Hant")}
SEPARATOR = "\n* * *\n\n"

# Each variable with its kind: plain text (or None), the list of services, or yes/no.
VARIABLES = {
    "reference": "text",
    "emergency": "text",
    "country": "text",
    "hours": "text",
    "retention_months": "text",
    "services": "services",
    "fingerprint": "text",
    "urgent": "flag",
}
_OFFER = {each.name: "contacts" if each.name == "contacts" else "text" for each in fields(Offer)}
_MARKER_LINE = re.compile(r"^\[[a-z_]+\]\n", re.MULTILINE)
_PARTS = re.compile(r"\A---\n(?P<front>.*?\n)---\n(?P<body>.*)\Z", re.DOTALL)


class Front(Strict):
    """What stands between the two lines `---` of a text. `subject` is neutral and holds no reference."""

    language: str
    version: Annotated[int, Field(ge=1)]
    reviewed_by: Annotated[str, Field(min_length=1)] | None = None
    reviewed_on: date | None = None
    subject: Annotated[str, Field(min_length=1, max_length=78)]

    @field_validator("subject")
    @classmethod
    def _one_plain_line(cls, subject: str) -> str:
        # A line break here would let a text add header fields to the mail.
        if not subject.isprintable() or set("[]{}") & set(subject):
            raise ValueError("must be one line of text without brackets: the reference is added when it is sent")
        return subject

    @property
    def reviewed(self) -> bool:
        """Whether a person put name and date to it."""
        return self.reviewed_by is not None and self.reviewed_on is not None


@dataclass(frozen=True, slots=True)
class Rendered:
    """An answer in words. `language`, `version` and `reviewed` are those of the text that comes first."""

    subject: str
    body: str = field(repr=False)
    language: str
    template: str
    version: int
    reviewed: bool


@dataclass(frozen=True, slots=True)
class Texts:
    """All texts, by names such as `es/full`. Built by `parse_texts`; every language has the same set."""

    fronts: Mapping[str, Front]
    environment: ImmutableSandboxedEnvironment = field(repr=False)

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that there are texts in, sorted."""
        return tuple(sorted({key.partition("/")[0] for key in self.fronts}))

    @property
    def names(self) -> frozenset[str]:
        """The names of the texts: full, minimal and so on."""
        return frozenset(key.partition("/")[2] for key in self.fronts)

    @property
    def unreviewed(self) -> tuple[str, ...]:
        """The texts that no person has put name and date to yet, such as `es/full`."""
        return tuple(sorted(key for key, front in self.fronts.items() if not front.reviewed))

    def serving(self, language: str) -> str | None:
        """Find the language of ours that serves one who writes `language`: itself, its base, or as MACRO says."""
        wanted = [language, base(language), *MACRO.get(base(language), ())]
        return next((each for each in wanted if f"{each}/full" in self.fronts), None)

    def language_for(self, language: str, default: str) -> str:
        """Find the language to write in, the first of these that there are texts in.

        1. `language` itself (`pt-BR`); 2. its base (`pt`); 3. what MACRO names for the base; 4. `default`, in the
        same three steps; 5. English; 6. the first there is.
        """
        return self.serving(language) or self.serving(default) or self.serving("en") or self.languages[0]

    def render(
        self, name: str, language: str, values: Mapping[str, object], *, unreviewed: Unreviewed, default_language: str
    ) -> Rendered | None:
        """Write the text `name` in `language`, or in the one that `language_for` finds instead.

        `values` holds every name in `VARIABLES`. What happens to a text that nobody reviewed yet: `send`: it is
        sent; `bilingual`: the text in the default language follows it; `never`: the reviewed text in the default
        language takes its place, and without one there is no answer (None), so that the caller holds the reply.

        Raises:
            KeyError: there is no text of this name.
        """
        first = self.language_for(language, default_language)
        default = self.language_for(default_language, default_language)
        if unreviewed == "never" and not self.fronts[f"{first}/{name}"].reviewed:
            first = default
            if not self.fronts[f"{first}/{name}"].reviewed:
                return None
        front = self.fronts[f"{first}/{name}"]
        body = self.body(name, first, values)
        if unreviewed == "bilingual" and not front.reviewed and first != default:
            body += SEPARATOR + self.body(name, default, values)
        subject = f"{front.subject} [{values['reference']}]"
        return Rendered(subject, body, first, name, front.version, front.reviewed)

    def body(self, name: str, language: str, values: Mapping[str, object]) -> str:
        """Write one text in exactly this language, without its markers."""
        text = _MARKER_LINE.sub("", self.marked(name, language, values))
        return re.sub(r"\n{3,}", "\n\n", text).strip("\n") + "\n"

    def marked(self, name: str, language: str, values: Mapping[str, object]) -> str:
        """Write one text with the lines `[care]` that mark its blocks, for the lint."""
        return self.environment.get_template(f"{language}/{name}").render(values)


def parse_texts(files: Mapping[str, str]) -> Texts:
    """Read all texts; the keys are names such as `es/full.txt`, anything not ending in .txt is passed over.

    Raises:
        ConfigError: with every problem of every file at once.
    """
    fronts: dict[str, Front] = {}
    bodies: dict[str, str] = {}
    problems: list[Problem] = []
    for file in sorted(name for name in files if name.endswith(".txt")):
        key = file.removesuffix(".txt")
        try:
            fronts[key], bodies[key] = _parse(file, files[file])
        except ConfigError as error:
            problems.extend(error.problems)
    problems.extend(_gaps({name.removesuffix(".txt") for name in files if name.endswith(".txt")}))
    if problems:
        raise ConfigError(*problems)
    return Texts(fronts, _environment(bodies))


def _environment(bodies: Mapping[str, str]) -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=DictLoader(bodies),
        undefined=StrictUndefined,
        # Texts are plain text: escaping would turn "we & you" into "we &amp; you" in the mail.
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
        cache_size=-1,
    )


_PLAIN = _environment({})


def _gaps(keys: set[str]) -> Iterator[Problem]:
    names = {key.partition("/")[2] for key in keys} | REQUIRED
    if not keys:
        yield Problem("templates", "", "there are no texts: at least one language is needed.")
    for language in sorted({key.partition("/")[0] for key in keys}):
        for name in sorted(names):
            if f"{language}/{name}" not in keys:
                yield Problem(f"{language}/{name}.txt", "", "this text is missing: every language needs the same set.")


def _parse(file: str, text: str) -> tuple[Front, str]:
    parts = _PARTS.match(text)
    if not parts:
        raise ConfigError(Problem(file, "line 1", "a text begins with a block between two lines `---`."))
    # The empty line stands for the first `---`, so that line numbers are those of the file.
    document = Document(file, "\n" + parts["front"])
    front = document.check(Front)
    folder = file.partition("/")[0]
    if front.language != folder:
        where, what = f"line {document.line(('language',))}", f"language {front.language!r} stands in another folder."
        raise ConfigError(Problem(file, where, what, folder))
    above = text[: parts.start("body")].count("\n")
    problems = [Problem(file, f"line {above + line}", what, nearest) for line, what, nearest in _faults(parts["body"])]
    if problems:
        raise ConfigError(*problems)
    return front, parts["body"]


Fault = tuple[int, str, str | None]
_ONLY = "only {{ name }}, if, for, ~ and `set` of a fixed word may be used in a text."


def _faults(body: str) -> Iterator[Fault]:
    """Say what in a body is not part of the small language of texts: line in the body, what, nearest name."""
    try:
        tree = _PLAIN.parse(body)
    except TemplateSyntaxError as error:
        yield error.lineno, f"not a valid text: {error.message}", None
        return
    kinds = dict(VARIABLES)
    for node in tree.body:
        match node:
            case nodes.Assign(target=nodes.Name(name=name), node=nodes.Const()):
                kinds[name] = "text"
            case _:
                yield from _statement_faults(node, kinds)


def _statement_faults(node: nodes.Node, kinds: Mapping[str, str]) -> Iterator[Fault]:
    """Walk one statement; `kinds` are the names that it can see, with the kind of each."""
    match node:
        case nodes.Output():
            for part in node.nodes:
                yield from _expression_faults(part, kinds)
                if _kind(part, kinds) not in {None, "text"}:
                    yield part.lineno, "this cannot be written out; take its parts one by one.", None
        case nodes.If():
            yield from _expression_faults(node.test, kinds)
            for inner in (*node.body, *node.elif_, *node.else_):
                yield from _statement_faults(inner, kinds)
        case nodes.For(target=nodes.Name(name=name), iter=source, test=None, recursive=False):
            held = {"services": "service", "contacts": "text"}.get(_kind(source, kinds) or "")
            if held is None:
                yield node.lineno, "a `for` goes over services, or over the contacts of one.", None
            for inner in (*node.body, *node.else_):
                yield from _statement_faults(inner, {**kinds, name: held or "text"})
        case _:
            yield node.lineno, _ONLY, None


def _expression_faults(node: nodes.Node, kinds: Mapping[str, str]) -> Iterator[Fault]:
    match node:
        case nodes.Name(name=name):
            if name not in kinds:
                yield node.lineno, f"unknown name {name!r}.", nearest(name, kinds)
        case nodes.Getattr(node=nodes.Name(name=name), attr=attr) if kinds.get(name) == "service":
            if attr not in _OFFER:
                yield node.lineno, f"a service has no {attr!r}.", nearest(attr, _OFFER)
        case nodes.CondExpr(expr2=None):
            yield node.lineno, "this `if` needs an `else`.", None
        case nodes.CondExpr() | nodes.Concat() | nodes.Not() | nodes.And() | nodes.Or():
            for child in node.iter_child_nodes():
                yield from _expression_faults(child, kinds)
        case nodes.TemplateData() | nodes.Const():
            pass
        case _:
            yield node.lineno, _ONLY, None


def _kind(node: nodes.Node, kinds: Mapping[str, str]) -> str | None:
    match node:
        case nodes.Name(name=name):
            return kinds.get(name)
        case nodes.Getattr(node=nodes.Name(name=name), attr=attr) if kinds.get(name) == "service":
            return _OFFER.get(attr)
    return None
