"""The benchmark measures what it says it does. How fast anything is, no test asks."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
COUNT = 4


@pytest.fixture(scope="module", params=["plain", "pgp"])
def found(request: pytest.FixtureRequest) -> dict[str, Any]:
    options = ["--mails", str(COUNT), "--kind", request.param, "--size", "600", "--json"]
    command = [sys.executable, "-m", "benchmarks.pipeline", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return dict(json.loads(done.stdout))


def test_every_mail_is_filed_and_its_answer_and_notice_reach_the_sink(found: dict[str, Any]) -> None:
    assert found["summary"]["drained"]["filed"] == COUNT
    assert (found["answered"], found["letters"]) == (COUNT, 2 * COUNT)


def test_the_figures_hold_what_the_document_promises(found: dict[str, Any]) -> None:
    assert {"rate", "bare_rate", "ratio", "stages", "pss_peak", "rss_peak", "cpu", "machine"} <= found.keys()
    assert found["rate"] > 0
    assert found["bare_rate"] > 0
    assert {"processor", "cores", "system", "python"} <= found["machine"].keys()


def test_every_step_of_the_flow_has_its_time(found: dict[str, Any]) -> None:
    steps = {"mailbox.fetch", "opener.open", "cases.seen", "route", "settle", "cases.file", "cases.read_back"}
    steps |= {"mailbox.delete", "outbox.due", "courier.send", "outbox.sent", "encryptor.encrypt"}
    assert steps <= found["stages"].keys()
    assert found["stages"]["courier.send"]["calls"] == 2 * COUNT
    assert all(one["ms_a_mail"] >= 0 for one in found["stages"].values())
    assert ("signer.sign" in found["stages"]) == (found["kind"] == "pgp")


def test_the_time_from_append_to_the_reply_is_taken_beside_that_of_a_bare_client() -> None:
    command = [sys.executable, "-m", "benchmarks.latency", "--mails", "1", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert min(found[name] for name in ("append_to_reply_median", "append_to_idle_median", "sigterm", "ratio")) > 0
