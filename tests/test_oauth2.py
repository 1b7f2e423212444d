import os
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from mailroom.errors import ServerUnreachable
from mailroom.oauth2 import __main__ as oauth2
from mailroom.oauth2.login import by_browser, by_device
from mailroom.oauth2.server import Client, Refused, load
from mailroom.transport.login import Token
from tests.servers.certificate import write_certificate
from tests.servers.token_endpoint import Answer, TokenServer

SECRET, OLD, NEW, ACCESS = "canary-secret", "canary-old", "canary-new", "canary-access"
PENDING: Answer = (400, {"error": "authorization_pending"})


@pytest.fixture
def server() -> Iterator[TokenServer]:
    with TokenServer() as running:
        yield running


@pytest.fixture
def file(tmp_path: Path, server: TokenServer) -> Path:
    (tmp_path / "refresh-token").write_text(OLD + "\n")
    return settings(tmp_path, server.url)


def settings(folder: Path, url: str, **changes: str) -> Path:
    endpoints = {name: f"{url}/{name}" for name in ("token_endpoint", "device_endpoint", "authorization_endpoint")}
    keys = endpoints | {"client_id": "desk", "client_secret": SECRET, "scope": "mail"} | changes
    path = folder / "oauth2.toml"
    path.write_text("".join(f'{key} = "{value}"\n' for key, value in keys.items()))
    path.chmod(0o600)
    return path


def token(refresh: str = "") -> Answer:
    given: dict[str, object] = {"access_token": ACCESS, "token_type": "Bearer"}
    return 200, given | ({"refresh_token": refresh} if refresh else {})


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    status = oauth2.main([str(one) for one in arguments])
    said = capsys.readouterr()
    assert not [secret for secret in (SECRET, OLD, NEW) if secret in said.out + said.err]
    return status, said.out, said.err


def test_stdout_is_the_access_token_and_nothing_else(
    file: Path, server: TokenServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [token()]
    assert run(capsys, file) == (0, f"{ACCESS}\n", "")
    refresh = {"grant_type": "refresh_token", "refresh_token": OLD, "scope": "mail"}
    assert server.forms == [{"client_id": "desk", "client_secret": SECRET} | refresh]


async def test_token_command_takes_it_as_it_is(
    file: Path, server: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    server.answers = [token()]
    assert await Token((sys.executable, "-m", "mailroom.oauth2", str(file))).get() == ACCESS


def test_rotated_refresh_token_replaces_the_old_one_for_its_owner_only(
    file: Path, server: TokenServer, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = file.parent / "refresh-token"
    kept.chmod(0o644)
    server.answers = [token(NEW), token()]
    assert [run(capsys, file)[0], run(capsys, file)[0]] == [0, 0]
    assert [form["refresh_token"] for form in server.forms] == [OLD, NEW]
    assert (kept.read_text(), stat.S_IMODE(kept.stat().st_mode)) == (f"{NEW}\n", 0o600)
    assert sorted(path.name for path in file.parent.iterdir()) == ["oauth2.toml", "refresh-token", "refresh-token.lock"]


def test_two_that_ask_at_once_use_each_refresh_token_once(file: Path, server: TokenServer) -> None:
    asked = threading.Event()

    def first() -> Answer:
        asked.set()
        return token(NEW)

    server.answers = [first, token("canary-newest")]
    tokens = [threading.Thread(target=oauth2.access_token, args=(Client(load(file)),)) for _ in range(2)]
    tokens[0].start()
    assert asked.wait(30)
    tokens[1].start()
    for one in tokens:
        one.join()
    assert [form["refresh_token"] for form in server.forms] == [OLD, NEW]


def test_client_credentials_need_no_refresh_token(
    tmp_path: Path, server: TokenServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.answers = [token()]
    assert run(capsys, settings(tmp_path, server.url, grant="client_credentials"))[:2] == (0, f"{ACCESS}\n")
    assert (server.forms[0]["grant_type"], server.forms[0]["scope"]) == ("client_credentials", "mail")
    assert not (tmp_path / "refresh-token").exists()


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("invalid_grant", "--login"),
        ("invalid_client", "new secret"),
        ("unauthorized_client", "administrator's consent"),
        ("invalid_scope", "Leave `scope` out"),
        ("something_else", "docs/oauth2.md"),
    ],
)
def test_refusal_says_what_to_do_and_nothing_that_the_server_wrote(
    file: Path, server: TokenServer, capsys: pytest.CaptureFixture[str], code: str, advice: str
) -> None:
    text = f"AADSTS700082: the token of keeper@example.org, {OLD}, is over"
    server.answers = [(400, {"error": code, "error_description": text})]
    status, out, err = run(capsys, file)
    assert (status, out) == (1, "")
    assert f"(400 {code} AADSTS700082)" in err
    assert advice in err
    assert "keeper" not in err
    assert (file.parent / "refresh-token").read_text() == f"{OLD}\n"


@pytest.mark.parametrize("answer", [{}, {"access_token": 1}, {"access_token": "two words"}, {"access_token": "a\nb"}])
def test_what_is_no_token_is_not_passed_on(
    file: Path, server: TokenServer, capsys: pytest.CaptureFixture[str], answer: dict[str, object]
) -> None:
    server.answers = [(200, answer)]
    status, out, err = run(capsys, file)
    assert (status, out, "no access token" in err) == (1, "", True)


def test_secret_follows_no_redirect(file: Path, server: TokenServer, capsys: pytest.CaptureFixture[str]) -> None:
    server.answers = [(302, {}), token()]
    assert run(capsys, file)[0] == 1
    assert server.paths == ["/token_endpoint"]


def test_server_that_is_silent_or_gone_counts_as_out_of_reach(
    file: Path, server: TokenServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    released = threading.Event()

    def never() -> Answer:
        released.wait(30)
        return 500, {}

    server.answers = [never]
    with pytest.raises(ServerUnreachable, match="no answer in time"):
        oauth2.access_token(Client(load(file), timeout=0.2))
    released.set()
    assert run(capsys, settings(tmp_path, "http://127.0.0.1:1"))[0] == 3


def test_certificate_that_is_not_trusted_ends_the_talk_before_the_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair = tmp_path / "certificate.pem", tmp_path / "key.pem"
    write_certificate(*pair)
    (tmp_path / "refresh-token").write_text(OLD)
    with TokenServer(pair) as secured:
        file = settings(tmp_path, secured.url)
        status, _, err = run(capsys, file)
        assert (status, "certificate is not trusted" in err, secured.forms) == (3, True, [])
        secured.answers = [token()]
        assert oauth2.access_token(Client(load(file), cafile=str(pair[0]))) == ACCESS


@pytest.mark.parametrize("url", ["http://login.example.org/token", "ftp://127.0.0.1/", "login.example.org", "https://"])
def test_endpoint_without_tls_is_refused_off_this_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str
) -> None:
    status, _, err = run(capsys, settings(tmp_path, "https://login.example.org", token_endpoint=url))
    assert (status, "token_endpoint: must begin with https://" in err) == (2, True)


def test_settings_that_others_may_read_are_refused(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file.chmod(0o604)
    status, _, err = run(capsys, file)
    assert (status, "chmod 600" in err) == (2, True)


def test_every_fault_of_the_settings_is_told_at_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = {"client_id": "", "grant": "password", "provider": "microsoft", "tenant": "a b"}
    status, _, err = run(capsys, settings(tmp_path, "https://login.example.org", **wrong))
    assert status == 2
    assert [line.split(": ")[1] for line in err.splitlines()] == ["grant", "client_id", "tenant"]


def test_misspelt_key_is_refused_with_the_right_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, settings(tmp_path, "https://login.example.org", client_secrt="x"))
    assert (status, "Did you mean 'client_secret'?" in err) == (2, True)


def test_first_sign_in_is_asked_for_by_its_command(
    tmp_path: Path, server: TokenServer, capsys: pytest.CaptureFixture[str]
) -> None:
    status, _, err = run(capsys, settings(tmp_path, server.url))
    assert (status, f"-m mailroom.oauth2 {tmp_path / 'oauth2.toml'} --login" in err) == (2, True)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"grant": "client_credentials"}, "nobody signs in for that"),
        ({"device_endpoint": "", "authorization_endpoint": ""}, "is required to sign in"),
    ],
)
def test_sign_in_that_cannot_be_is_refused_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, str], said: str
) -> None:
    status, _, err = run(capsys, settings(tmp_path, "https://login.example.org", **changes), "--login")
    assert (status, said in err) == (2, True)


def test_device_code_waits_for_the_person_and_slows_down_when_told(file: Path, server: TokenServer) -> None:
    began = {"device_code": "dc", "user_code": "ABCD", "verification_uri": "https://example.org/device"}
    slower: Answer = (400, {"error": "slow_down"})
    server.answers = [(200, began | {"expires_in": 900, "interval": 7}), PENDING, slower, PENDING, token(NEW)]
    said: list[str] = []
    waits: list[float] = []
    assert by_device(Client(load(file)), said.append, waits.append) == NEW
    assert said == ["Open https://example.org/device in a browser, sign in as the desk, and enter the code ABCD"]
    assert waits == [7, 7, 12, 12]
    assert server.forms[-1]["device_code"] == "dc"


def test_device_code_that_got_too_old_ends_the_wait(file: Path, server: TokenServer) -> None:
    began = {"device_code": "dc", "user_code": "ABCD", "verification_uri": "https://example.org/device"}
    server.answers = [(200, began | {"expires_in": 0}), PENDING]
    with pytest.raises(Refused):
        by_device(Client(load(file)), lambda _: None, lambda _: None)


def test_browser_sign_in_takes_the_pasted_address_and_proves_itself(file: Path, server: TokenServer) -> None:
    said: list[str] = []
    server.answers = [token(NEW)]

    def paste() -> str:
        state = parse_qs(urlsplit(said[1]).query)["state"][0]
        return f" http://127.0.0.1:50000/?state={state}&code=canary-code \n"

    oauth2.log_in(Client(load(file)), lambda client: by_browser(client, 50000, said.append, paste))
    asked, form = parse_qs(urlsplit(said[1]).query), server.forms[0]
    assert (asked["redirect_uri"], form["redirect_uri"]) == (["http://127.0.0.1:50000"], "http://127.0.0.1:50000")
    assert (form["code"], asked["code_challenge_method"]) == ("canary-code", ["S256"])
    assert form["code_verifier"] not in said[1]
    assert (file.parent / "refresh-token").read_text() == f"{NEW}\n"


def test_address_of_another_sign_in_is_refused_before_anything_is_sent(file: Path, server: TokenServer) -> None:
    with pytest.raises(Refused, match="not the address of this sign-in"):
        by_browser(Client(load(file)), 50000, lambda _: None, lambda: "http://127.0.0.1:50000/?state=x&code=y")
    assert server.forms == []
