"""The programs that must be on this machine, and their versions."""

import re
import shutil
import subprocess

_SECONDS = 10


def version(program: str) -> tuple[int, ...] | None:
    """Ask a program of GnuPG for its version, such as (2, 2, 40); None when it is not there or does not tell."""
    path = shutil.which(program)
    if path is None:
        return None
    try:
        told = subprocess.run([path, "--version"], capture_output=True, check=False, timeout=_SECONDS)  # noqa: S603  # ours
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(rb"\) (\d+(?:\.\d+)+)", told.stdout)
    return tuple(int(number) for number in found[1].split(b".")) if found else None
