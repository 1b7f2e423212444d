"""What is shipped: rules and texts load together, the texts pass their lint, and nothing claims to be checked."""

from pathlib import Path

from mailroom.referral.choose import rulebook
from mailroom.referral.lint import lint
from mailroom.referral.service import parse_services
from mailroom.referral.templates import parse_texts
from mailroom.triage.phrases import parse_taxonomy
from tests.referral.samples import KNOWN

ROOT = Path(__file__).parents[2]


def read(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(folder.rglob("*"))
        if path.suffix in {".yaml", ".txt"}
    }


RULES, TEXTS = read(ROOT / "rules"), read(ROOT / "templates")


def test_shipped_rules_services_and_texts_load_together() -> None:
    book = rulebook(RULES, TEXTS, parse_taxonomy("categories.yaml", RULES["categories.yaml"]))
    assert {"ar", "en", "es", "fr", "hi", "pt"} <= set(book.texts.languages)


def test_shipped_texts_pass_their_lint() -> None:
    assert lint(parse_texts(TEXTS), TEXTS) == []


def test_nothing_shipped_claims_that_a_person_checked_it() -> None:
    texts = parse_texts(TEXTS)
    assert set(texts.unreviewed) == set(texts.fronts)
    book = rulebook(RULES, TEXTS, parse_taxonomy("categories.yaml", RULES["categories.yaml"]))
    assert [service.id for service in book.directory.services if service.verified] == []


def test_entry_that_the_guide_shows_is_valid() -> None:
    guide = (ROOT / "rules/services/README.md").read_text(encoding="utf-8")
    example = guide.partition("```yaml\n")[2].partition("```")[0]
    known = {"intimate_images", "sextortion"} | KNOWN.categories
    (entry,) = parse_services(
        {"services/ke.yaml": example},
        type(KNOWN)(frozenset(known), KNOWN.groups, KNOWN.flags, KNOWN.countries, KNOWN.languages),
    )
    assert entry.id == "example-line"
