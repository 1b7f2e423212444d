"""The wheel: what is in it, and that it works where it is installed, without a checkout beside it."""

import json
import os
import site
import subprocess
import sys
import tempfile
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailroom import __version__
from tests.cli.running import MAILS, ROOT
from tests.gnupg_home import public


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-c", "import hatchling.build, sys; hatchling.build.build_wheel(sys.argv[1])", str(folder))
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it into an environment of its own, which borrows the libraries of this one; give its folder."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    # Only the folder itself: its own .pth files, such as that of a checkout, are not read.
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    into = ["--python", str(folder / "bin" / "python")]
    run(sys.executable, "-m", "pip", *into, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    return folder


@pytest.fixture
def place() -> Iterator[Path]:
    """Give a folder with a short path, for gpg's socket."""
    with tempfile.TemporaryDirectory(prefix="mr-") as folder:
        yield Path(folder)


def run(*command: str, cwd: Path = ROOT) -> str:
    env = {"PATH": os.environ["PATH"], "PIP_DISABLE_PIP_VERSION_CHECK": "1", "LC_ALL": "C.UTF-8"}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, check=True, text=True).stdout


def under(folder: Path) -> set[str]:
    return {str(path.relative_to(ROOT)) for path in folder.rglob("*") if path.is_file()}


def test_wheel_holds_program_rules_texts_units_and_man_page(wheel: Path) -> None:
    held = set(zipfile.ZipFile(wheel).namelist())
    shared = {f"mailroom/share/{name}" for name in (*under(ROOT / "rules"), *under(ROOT / "templates"))}
    program = {name for name in under(ROOT / "mailroom") if not name.endswith(".pyc")}
    assert shared | program | {"mailroom/share/config.example.toml"} <= held
    beside = f"mailroom-{__version__}.data/data/share"
    units = {f"{beside}/mailroom/{name}" for name in under(ROOT / "systemd")}
    assert units | {f"{beside}/man/man1/mailroom.1"} <= held


def test_wheel_holds_nothing_of_the_tests_and_no_private_mail(wheel: Path) -> None:
    held = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in held} == {
        *("mailroom", f"mailroom-{__version__}.dist-info", f"mailroom-{__version__}.data")
    }


def test_installed_program_is_the_one_of_the_wheel(installed: Path, place: Path) -> None:
    assert run(str(installed / "bin" / "mailroom"), "version", cwd=place) == f"{__version__}\n"
    where = run(str(installed / "bin" / "python"), "-c", "import mailroom; print(mailroom.__file__)", cwd=place)
    assert Path(where).is_relative_to(installed)


def test_installed_program_sets_up_a_desk_and_explains_a_mail(installed: Path, place: Path) -> None:
    mailroom = str(installed / "bin" / "mailroom")
    (place / "keeper.asc").write_bytes(public("keeper"))
    (place / "password").write_text("invented\n")
    servers = ["--imap-host", "imap.example.org", "--smtp-host", "smtp.example.org", "--password-file", "password"]
    people = ["--address", "desk@example.org", "--keeper", "keeper@example.org", "--keeper-key", "keeper.asc"]
    assert run(mailroom, "init", "desk", "--no-connect", *servers, *people, cwd=place) == "desk/config.toml\n"
    assert run(mailroom, "rules", "check", "--config", "desk/config.toml", cwd=place) == ""
    told = run(mailroom, "explain", "--json", str(MAILS / "02-english-utf8" / "mail.eml"), cwd=place)
    assert json.loads(told)["reply"]["will_send"] is True


def test_units_and_man_page_are_where_a_person_looks(installed: Path) -> None:
    for name in ("man/man1/mailroom.1", "mailroom/systemd/mailroom.service", "mailroom/systemd/mailroom-desk"):
        assert (installed / "share" / name).is_file()
    assert os.access(installed / "share" / "mailroom" / "systemd" / "mailroom-desk", os.X_OK)
