"""`mailroom demo`, as somebody meets it who has just installed Mailroom."""

import asyncio
import gc
import imaplib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.cells import cell_len

from mailroom.demo import samples, servers
from mailroom.demo.people import Read
from mailroom.demo.stage import folder
from mailroom.mail.parse import parse
from tests.gnupg_home import gpg

PACKAGE = Path(samples.__file__).parent
REFERENCE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]")


@pytest.fixture
def place() -> Iterator[Path]:
    """Stand for /tmp: gpg wants a short path, so pytest's own folders do not do."""
    with tempfile.TemporaryDirectory(prefix="md-", dir="/tmp") as made:
        yield Path(made)


def mailroom(place: Path, *args: str, path: str | None = None, columns: int = 80) -> subprocess.CompletedProcess[str]:
    """Run the command line with `place` for temporary files."""
    return run([sys.executable, "-m", "mailroom", *args], place, path, columns)


def run(
    command: list[str], place: Path, path: str | None = None, columns: int = 80
) -> subprocess.CompletedProcess[str]:
    env = {name: value for name, value in os.environ.items() if name not in {"XDG_RUNTIME_DIR", "MAILROOM_CONFIG"}}
    env |= {"TMPDIR": str(place), "COLUMNS": str(columns), "PATH": os.environ["PATH"] if path is None else path}
    return subprocess.run(command, env=env, cwd=place, capture_output=True, text=True, check=False, timeout=240)


def test_the_demo_tells_what_happened_and_leaves_nothing(place: Path) -> None:
    done = mailroom(place, "demo", columns=72)
    assert (done.returncode, done.stderr) == (0, "")
    assert list(place.iterdir()) == []
    account = " ".join(done.stdout.split())
    for told in (
        "15 mails, 14 cases. 12 mails were answered, 1 answer waits for the keeper's word, 2 mails were not",
        "Left in the inbox: 0.",
        "The server's own key was tried on a record: it opened nothing.",
        "intimate_images, Egypt",
        "flags: imminent_danger",
        "What Juniper reads (opened with her own key, the desk's signature is valid)",
        "encrypted to the key that came with the mail; services: demo-acacia, demo-lantern",
        "with screen.png (image/png, 93 bytes)",
        "none: a machine is not answered",
        "none: the writer asked for no answer",
        "held for the keeper, because our mail server says that the sender is forged",
        "the same case, found by the mail that it answers",
        "somebody-near (rules.yaml:",
        "mailroom init DIR",
        *("English", "Spanish", "French", "Hindi", "Arabic", "Portuguese"),
        *("मेरे नाम से नकली खाता", "هل عنوان البريد هذا آمن لكم؟"),
    ):
        assert told in account
    assert "\x1b" not in done.stdout
    assert max(cell_len(line) for line in done.stdout.splitlines()) <= 72


def test_a_kept_demo_opens_with_the_usual_commands_and_the_keepers_key(place: Path) -> None:
    kept = place / "kept"
    done = mailroom(place, "demo", "--keep", str(kept))
    assert (done.returncode, done.stderr) == (0, "")
    assert list(place.iterdir()) == [kept]
    assert not (kept / "password").exists()
    assert len(list((kept / "arrived").iterdir())) == 15
    assert len(list((kept / "sent").glob("*-reply.eml"))) == 12
    assert len(list((kept / "sent").glob("*-notice.eml"))) == 15
    config = ("--config", str(kept / "config.toml"))
    cases = [json.loads(line) for line in mailroom(place, "case", "list", "--json", *config).stdout.splitlines()]
    assert {one["language"] for one in cases} == {"en", "es", "fr", "hi", "ar", "pt"}
    assert sorted(one["messages"] for one in cases) == [1] * 13 + [2]
    reference = cases[0]["case"]
    assert reference in REFERENCE.findall(done.stdout)
    assert mailroom(place, "case", "export", reference, str(kept / "out"), *config).returncode == 0
    sealed = kept / "out" / f"{reference}-1-decision.json.pgp"
    decision = json.loads(gpg(kept / "keeper", "--decrypt", str(sealed)))
    assert decision["message"]["from"].endswith(".example")


def test_without_gnupg_one_sentence_says_what_to_install(place: Path) -> None:
    done = mailroom(place, "demo", path=str(place))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        "The demo needs GnuPG; there is no gpg and no gpg-agent here. On Debian and Ubuntu: apt install gnupg gpg-agent"
    ]


@pytest.mark.parametrize("missing", ["pymap", "aiosmtpd"])
def test_without_its_mail_servers_one_sentence_says_how_to_install_them(place: Path, missing: str) -> None:
    without = f"import sys; sys.modules[{missing!r}] = None; sys.argv = ['mailroom', 'demo']"
    done = run([sys.executable, "-c", f"{without}; from mailroom.cli import main; main()"], place)
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        f"The demo needs {missing}, which is not installed. Install it with: pip install 'mailroom[demo]'"
    ]


def test_a_folder_with_something_in_it_is_not_written_to(place: Path) -> None:
    (place / "mine.txt").write_text("mine")
    done = mailroom(place, "demo", "--keep", str(place))
    assert done.returncode == 1
    assert done.stderr == f"{place} is not empty; give --keep a new folder\n"
    assert [one.name for one in place.iterdir()] == ["mine.txt"]


def test_every_person_and_every_service_of_the_demo_is_invented() -> None:
    """Addresses under .example belong to nobody (RFC 2606)."""
    for file in [*PACKAGE.glob("mails/*.eml"), PACKAGE / "services.yaml"]:
        text = file.read_text()
        assert re.findall(r"[\w.+-]+@([\w.-]+)", text) == re.findall(r"[\w.+-]+@([\w.-]+\.example)\b", text)
        assert all(host.endswith(".example") for host in re.findall(r"https://([\w.-]+)", text))


def test_no_service_of_the_demo_is_shipped_as_verified() -> None:
    text = (PACKAGE / "services.yaml").read_text()
    assert set(re.findall(r"verified: (\S+)", text)) == {"null"}
    assert text.count("\n  - id:") == text.count('verified_by: "nobody: an invented service for the demo"')


def test_each_mail_of_a_round_has_a_sender_of_its_own() -> None:
    senders = [sample.sender for sample in samples.first_round()]
    assert len(set(senders)) == len(senders) == 14
    assert {samples.SEALED, samples.FORGED} < set(senders)


def test_the_answer_to_an_answer_quotes_it_and_names_it() -> None:
    replies = {"robin@post.example": Read("About your message", "Is this address safe?", "r1@community.example", "")}
    (sample,) = samples.second_round(replies)
    message = parse(sample.content)
    assert message.references == ("r1@community.example",)
    assert "> Is this address safe?" in sample.content.decode()
    assert "Is this address safe?" not in message.text


def test_the_provider_vouches_for_all_senders_but_one() -> None:
    for sample in samples.first_round():
        first = parse(samples.delivered(sample, sample.content)).fields[0]
        verdict = "fail" if sample.sender == samples.FORGED else "pass"
        assert first == (
            "authentication-results",
            f"mx.community.example; dmarc={verdict} header.from={_domain(sample)}",
        )


def _domain(sample: samples.Sample) -> str:
    return sample.sender.rpartition("@")[2]


async def test_mail_that_was_received_waits_in_the_inbox() -> None:
    async with servers.ImapServer(servers.Account("desk", "secret words")) as imap:
        assert await imap.waiting() == 0
        await imap.receive([sample.content for sample in samples.first_round()])
        assert await imap.waiting() == 14


async def test_a_silent_client_is_served_later_and_not_waited_for_at_the_end() -> None:
    async with servers.ImapServer(servers.Account("desk", "secret words")) as imap:
        client = await asyncio.to_thread(imaplib.IMAP4, servers.HOST, imap.port)
        gc.collect()
        answer, _ = await asyncio.to_thread(client.noop)
        assert answer == "OK"
    await asyncio.to_thread(client.shutdown)


def test_a_temporary_folder_with_too_long_a_path_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = tmp_path / ("a" * 80)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))
    with folder() as made:
        assert made.parent != long
        assert made.stat().st_mode & 0o777 == 0o700
    assert not made.exists()
