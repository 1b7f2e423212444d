"""Mail that other projects are tested with goes through `explain`, and no bounce among it is answered by itself.

Neither collection was written for us, and none of it is in this repository: `scripts/collections` fetches it.
"""

import sys
import tarfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from mailroom.cli.bench import Bench, bare_bench

COLLECTIONS = Path(sys.prefix) / "collections"
KINDS = {"own", "bounce", "list", "automatic", "unreadable", "report"}
# Kept there because its broken parts once made a parser fail: a hotel answers a guest, with a picture and a letter.
PERSON = "groupwise_03.txt"


def fetched(name: str, folder: str) -> dict[str, bytes]:
    """Read the mails of a folder out of a fetched archive, by file name."""
    archives = sorted(COLLECTIONS.glob(f"{name}-*.tar.gz"))
    if not archives:
        pytest.skip("the mail collections are not here: scripts/collections could not fetch them, or was not run")
    with tarfile.open(archives[-1]) as archive:
        inside = {Path(one.name): archive.extractfile(one) for one in archive if one.isfile()}
        return {path.name: file.read() for path, file in inside.items() if file and f"/{folder}/" in f"/{path.parent}/"}


def of_python() -> Path | None:
    """Find the mails that Python tests its parser with: in Python itself, or where scripts/collections put them."""
    package = find_spec("test.test_email") if find_spec("test") else None
    inside = [Path(package.origin).parent / "data"] if package and package.origin else []
    return next((one for one in [*inside, *COLLECTIONS.glob("python/**/test_email/data")] if one.is_dir()), None)


@pytest.fixture(scope="module")
def bench() -> Iterator[Bench]:
    with bare_bench() as made:
        yield made


async def explained(bench: Bench, mails: dict[str, bytes]) -> dict[str, dict[str, Any]]:
    told = {name: await bench.explain(content) for name, content in mails.items()}
    assert {one["kind"] for one in told.values()} <= KINDS
    return told


def answered(told: dict[str, dict[str, Any]]) -> set[str]:
    """Name the mails that are answered at once, without the keeper."""
    return {name for name, one in told.items() if one["reply"]["will_send"]}


async def test_no_bounce_of_flufl_bounce_is_answered(bench: Bench) -> None:
    mails = {name: mail for name, mail in fetched("flufl_bounce", "tests/data").items() if name.endswith(".txt")}
    told = await explained(bench, mails)
    assert len(told) >= 117
    assert answered(told) == {PERSON}


async def test_nearly_every_bounce_of_flufl_bounce_is_called_one_and_names_whom_it_is_about(bench: Bench) -> None:
    mails = {name: mail for name, mail in fetched("flufl_bounce", "tests/data").items() if name.endswith(".txt")}
    told = await explained(bench, mails)
    bounces = [one for one in told.values() if one["kind"] == "bounce"]
    named = [one for one in bounces if one["bounce"] and one["bounce"]["recipients"]]
    assert len(bounces) >= 97
    assert len(named) >= 90


async def test_the_mails_of_mail_parser_are_explained(bench: Bench) -> None:
    told = await explained(bench, fetched("mail_parser", "tests/mails"))
    assert len(told) >= 20
    assert {name for name, one in told.items() if one["kind"] == "bounce"} == {"mail_malformed_2"}
    assert "mail_malformed_2" not in answered(told)


async def test_the_mails_that_python_s_own_parser_is_tested_with_are_explained(bench: Bench) -> None:
    folder = of_python()
    if folder is None:
        pytest.skip("this Python came without its own tests, and scripts/collections found no Debian package of them")
    told = await explained(bench, {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()})
    assert len(told) >= 47
    bounces = {name for name, one in told.items() if one["kind"] == "bounce"}
    assert bounces == {"msg_05.txt", "msg_16.txt", "msg_25.txt", "msg_43.txt"}
    assert not bounces & answered(told)
