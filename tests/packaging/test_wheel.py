"""The wheel: what is in it, and that it works where it is installed, without a checkout beside it."""

import os
import site
import subprocess
import sys
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.cli.running import ROOT
from tests.gnupg_home import public

SCRIPTS = "mailroom-0.1.0.data/data/share"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = f"from hatchling.build import build_wheel; print(build_wheel({str(folder)!r}))"
    run(sys.executable, "-c", build, cwd=ROOT)
    [made] = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install it into an environment of its own, which borrows the libraries of this one; give its folder."""
    # a short path: gpg's socket lies below
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, symlinks=True)
    [packages] = folder.glob("lib/python*/site-packages")
    # Behind its own packages on the path, so that what it installed counts and not the checkout.
    (packages / "borrowed.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    pip = ["-m", "pip", "--disable-pip-version-check", "--python", str(folder / "bin" / "python")]
    run(sys.executable, *pip, "install", "--quiet", "--no-deps", "--no-index", str(wheel))
    return folder


def run(*command: str, cwd: Path, env: Mapping[str, str] = {}) -> str: ...
