"""What the fuzzer found: each file of `found` broke something once. See fuzz/README.md."""

from pathlib import Path

import pytest

from fuzz.targets import TARGETS

FOUND = sorted((Path(__file__).parent / "found").iterdir())


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("path", FOUND, ids=lambda path: path.stem)
def test_what_was_found_breaks_nothing_any_more(path: Path, target: str) -> None:
    TARGETS[target](path.read_bytes())
