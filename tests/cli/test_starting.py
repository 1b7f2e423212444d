"""What a verb loads, and what starting quickly leaves as it was."""

import gc
import json
import os
import subprocess
import sys

import pytest

from mailroom.cli.starting import language_loading, lasting
from mailroom.errors import MailroomError
from mailroom.triage import language
from tests.cli.running import MAILS, ROOT
from tests.e2e.house import House

_LOADED = """
import json, sys
from mailroom.cli import main
sys.argv = ["mailroom", *sys.argv[1:]]
try:
    main()
except SystemExit as end:
    print(json.dumps([end.code, sorted(sys.modules)]))
"""


def loaded(*args: str) -> set[str]:
    """Run a verb in a process of its own, where there is no configuration; give the modules that it loaded."""
    command = [sys.executable, "-c", _LOADED, *args]
    done = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}, capture_output=True, check=True
    )
    status, modules = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    return set(modules)


@pytest.mark.parametrize("args", [["explain", str(MAILS / "02-english-utf8" / "mail.eml")], ["rules", "list"]])
def test_who_has_no_configuration_does_not_wait_for_records_transports_and_its_schema(args: list[str]) -> None:
    assert not loaded(*args) & {
        *("sqlalchemy", "cryptography", "alembic", "aioimaplib", "aiosmtplib", "pebble", "multiprocessing.context"),
        *("mailroom.assembly", "mailroom.config_schema"),
    }


def test_explain_does_not_wait_for_records_that_are_not_there_nor_for_transports(house: House) -> None:
    found = loaded("--config", str(house.config), "explain", str(MAILS / "02-english-utf8" / "mail.eml"))
    assert not found & {"sqlalchemy", "cryptography", "aioimaplib", "aiosmtplib", "pebble", "mailroom.assembly"}


def test_only_who_reads_mails_loads_the_language_model() -> None:
    assert not loaded("rules", "list") & {"numpy", "py3langid"}


def test_garbage_is_collected_again_after_what_stays_was_made() -> None:
    with pytest.raises(MailroomError):
        fail_while_making_what_stays()
    assert gc.isenabled()


def fail_while_making_what_stays() -> None:
    with lasting():
        assert not gc.isenabled()
        raise MailroomError("no")


def test_language_model_is_there_after_it_loaded_meanwhile() -> None:
    language._model.cache_clear()
    interval = sys.getswitchinterval()
    with language_loading():
        pass
    assert language._model.cache_info().currsize == 1
    assert sys.getswitchinterval() == interval
