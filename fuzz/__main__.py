"""Run one target: `python -m fuzz NAME [libFuzzer options]`, e.g. `python -m fuzz read -max_total_time=600`.

What is found lies under fuzz/crashes afterwards, and fuzz/corpus remembers what led to new code.
"""

import random
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["mailroom", "mailparser", "authres", "email"]):
    from fuzz.targets import TARGETS

from fuzz.mutator import mutate

_HERE = Path(__file__).parent
_SEEDS = (_HERE.parent / "tests" / "mail", _HERE.parent / "tests" / "hostile" / "found")
_LONGEST = 65_536
_last = b""


def _mutator(content: bytes, longest: int, seed: int) -> bytes:
    """Change the structure one time in four, else bytes and words."""
    global _last  # atheris gives a mutator one input only; the one before is the other half
    other, _last = _last, content
    if random.Random(seed).randrange(4):
        return bytes(atheris.Mutate(content, longest))
    return mutate(content, other, seed)[:longest]


def main() -> None:
    """Run the target that is named first; all else is for libFuzzer."""
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        raise SystemExit(f"usage: python -m fuzz NAME [libFuzzer options]; NAME is one of {', '.join(TARGETS)}")
    name = sys.argv[1]
    corpus, crashes = _HERE / "corpus" / name, _HERE / "crashes"
    for folder in (corpus, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    limits = [
        f"-max_len={_LONGEST}",
        "-len_control=100",
        "-timeout=10",
        "-rss_limit_mb=2048",
        f"-dict={_HERE / 'mail.dict'}",
    ]
    seeds = [str(folder) for folder in (corpus, *_SEEDS) if folder.is_dir()]
    options = [*limits, f"-artifact_prefix={crashes}/{name}-", *sys.argv[2:], *seeds]
    atheris.Setup([sys.argv[0], *options], TARGETS[name], custom_mutator=_mutator)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
