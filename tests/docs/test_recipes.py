"""Each configuration that a page shows is taken by the real loader, and each OAuth2 setting by the program."""

import re
import sys
import tomllib
from pathlib import Path

import pytest

from mailroom.config import Config
from mailroom.oauth2.server import load
from tests.config_texts import KEEPER, MINIMAL, fill, loaded

DOCS = Path(__file__).parent.parent.parent / "docs"
BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PYTHON = "/opt/mailroom/bin/python"
PAGES = ("gmail.md", "microsoft365.md", "imap.md", "oauth2.md")
BLOCKS = [
    pytest.param(block, id=f"{page}-{number}")
    for page in PAGES
    for number, block in enumerate(BLOCK.findall((DOCS / page).read_text(encoding="utf-8")), start=1)
]
SERVERS = [block for block in BLOCKS if "[imap]" in str(block.values[0])]
OAUTH2 = [block for block in BLOCKS if "client_id" in str(block.values[0])]


def complete(folder: Path, block: str) -> Config:
    """Load a page's tables with the rest of the smallest configuration around them, and a Python that is here."""
    fill(folder)
    block = block.replace(PYTHON, sys.executable)
    (folder / "secrets" / "mail-password").write_text("password\n")
    shown = tomllib.loads(block)
    rest = [f"{key} = {value}\n" for key, value in MINIMAL.items() if key.partition(".")[0] not in shown]
    return loaded(folder, "".join(rest) + block + KEEPER)


def test_every_block_of_a_page_is_one_of_the_two_kinds() -> None:
    assert [block.id for block in SERVERS + OAUTH2] != []
    assert {block.id for block in BLOCKS} == {block.id for block in SERVERS + OAUTH2}


@pytest.mark.parametrize("block", SERVERS)
def test_shown_configuration_is_taken_as_it_stands(tmp_path: Path, block: str) -> None:
    config = complete(tmp_path, block)
    assert config.imap.password_file or config.imap.token_command


@pytest.mark.parametrize("block", [block for block in SERVERS if "microsoft" in str(block.id)])
def test_microsoft_is_told_to_have_no_name_in_its_verdicts(tmp_path: Path, block: str) -> None:
    assert complete(tmp_path, block).imap.authserv_id == "none-m365"


@pytest.mark.parametrize("block", OAUTH2)
def test_shown_oauth2_settings_are_taken_as_they_stand(tmp_path: Path, block: str) -> None:
    file = tmp_path / "oauth2.toml"
    file.write_text(block, encoding="utf-8")
    file.chmod(0o600)
    assert load(file).token_endpoint.startswith("https://")
