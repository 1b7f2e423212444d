"""Which kind of harassment a message is about: a weighted sum of phrases."""

from collections.abc import Iterable

from mailroom.triage.facts import Finding
from mailroom.triage.matching import Hit, outermost

ENOUGH = 3.0  # the score of one phrase that is enough alone
CERTAIN = 6.0  # from this score on only another category can lower the confidence
MARGIN = 1.5  # the best must have so many times the score of the second


def decide(hits: Iterable[Hit]) -> Finding:
    """Give the category that the phrases speak for, or "unclassified".

    Each wording counts once, and not where it lies inside a longer one ("hits me" in "my husband hits me"). The best
    category needs a score of 3 and 1.5 times that of the second. The confidence is the share of the best in
    the sum of both, times its score over 6 (at most 1). The evidence is the words found; when nothing is
    decided, those of the two best.
    """
    found = _by_category(hits)
    if not found:
        return Finding("unclassified")
    scores = {category: _score(each) for category, each in found.items()}
    first, *others = sorted(scores, key=lambda category: (-scores[category], category))
    second = scores[others[0]] if others else 0.0
    confidence = scores[first] / (scores[first] + second) * min(1.0, scores[first] / CERTAIN)
    if scores[first] < ENOUGH or scores[first] < MARGIN * second:
        unsure = [hit.words for category in (first, *others[:1]) for hit in found[category]]
        return Finding("unclassified", round(confidence, 2), tuple(dict.fromkeys(unsure)))
    return Finding(first, round(confidence, 2), tuple(dict.fromkeys(hit.words for hit in found[first])), "inferred")


def possible(hits: Iterable[Hit]) -> frozenset[str]:
    """Give each category that has enough phrases to be decided if it stood alone, also where a tie decides nothing."""
    return frozenset(category for category, each in _by_category(hits).items() if _score(each) >= ENOUGH)


def _score(hits: Iterable[Hit]) -> float:
    return float(sum(hit.meaning.weight for hit in hits))


def _by_category(hits: Iterable[Hit]) -> dict[str, list[Hit]]:
    found: dict[str, list[Hit]] = {}
    for hit in outermost(hits, "category"):
        same = found.setdefault(hit.meaning.target, [])
        if all(hit.words != other.words for other in same):
            same.append(hit)
    return found
