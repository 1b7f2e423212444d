from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mailroom.config_types import SecretFile
from mailroom.errors import ConfigError
from tests.config_texts import changed, fill, loaded, refusal, refusals, toml

CREDENTIALS = toml({"imap.password_file": '"credential:imap-password"'})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return fill(tmp_path)


@pytest.mark.parametrize(
    ("content", "secret"),
    [(b" a ", " a "), (b" a\n", " a"), (b"a\r\n", "a"), (b"a\n\n", "a\n"), (b"a\r", "a\r"), (b"", "")],
)
def test_secret_loses_one_newline_and_nothing_else(folder: Path, content: bytes, secret: str) -> None:
    password = changed(folder).imap.password_file
    assert password is not None
    (folder / "password").write_bytes(content)
    assert password.read() == secret


def test_secret_is_read_only_when_it_is_needed(folder: Path) -> None:
    password = changed(folder).imap.password_file
    (folder / "password").unlink()
    assert password is not None
    with pytest.raises(ConfigError, match=r"config\.toml: imap\.password_file: the file cannot be read"):
        password.read()


def test_secret_that_is_not_text_is_refused_without_showing_it(folder: Path) -> None:
    (folder / "password").write_bytes(b"canary\xff")
    password = changed(folder).imap.password_file
    assert password is not None
    with pytest.raises(ConfigError, match="UTF-8") as caught:
        password.read()
    assert "canary" not in str(caught.value)


def test_secret_never_shows_in_the_configuration(folder: Path) -> None:
    config = changed(folder)
    assert config.imap.password_file is not None
    assert config.imap.password_file.read() == " canary secret"
    assert "canary" not in f"{config!r} {config} {config.model_dump()}"


@pytest.mark.parametrize("name", ["none", ".", "../password"])
def test_secret_file_that_is_missing_is_refused_at_load(folder: Path, name: str) -> None:
    problem = refusal(folder, smtp__username='"desk"', smtp__password_file=f'"{name}"')
    assert "there is no file" in problem.what


def test_empty_name_is_no_secret(folder: Path) -> None:
    assert changed(folder, openpgp__passphrase_file='""').openpgp.passphrase_file is None
    assert refusal(folder, archive__key_file='""').where.endswith("(archive.key_file)")


def test_credential_comes_from_the_folder_of_systemd(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    credentials = tmp_path_factory.mktemp("credentials")
    (credentials / "imap-password").write_text("from systemd\n", encoding="utf-8")
    password = loaded(folder, CREDENTIALS, {"CREDENTIALS_DIRECTORY": str(credentials)}).imap.password_file
    assert password is not None
    assert password.read() == "from systemd"


def test_credential_without_systemd_is_refused(folder: Path) -> None:
    (problem,) = refusals(folder, CREDENTIALS)
    assert "systemd gave none" in problem.what


@pytest.mark.parametrize("name", ["", "..", "../config.toml", "a/b"])
def test_credential_never_leaves_its_folder(folder: Path, name: str) -> None:
    text = toml({"imap.password_file": f'"credential:{name}"'})
    (problem,) = refusals(folder, text, {"CREDENTIALS_DIRECTORY": str(folder / "secrets")})
    assert "must name a systemd credential" in problem.what


def wrapping_key(folder: Path, content: bytes) -> SecretFile:
    (folder / "wrapping").write_bytes(content)
    return changed(folder).archive.key_file


@example(key=b"k" * 31 + b"\n")
@given(key=st.binary(min_size=32, max_size=32))
def test_wrapping_key_is_read_whole_with_or_without_a_newline(
    tmp_path_factory: pytest.TempPathFactory, key: bytes
) -> None:
    path = tmp_path_factory.mktemp("key") / "wrapping"
    for content in (key, key + b"\n"):
        path.write_bytes(content)
        assert SecretFile(path, "config.toml", "archive.key_file").read_key() == key


@pytest.mark.parametrize("content", [b"", b"canary", b"k" * 31 + b"", b"k" * 33, b"k" * 32 + b"\n\n", b"0a" * 32])
def test_wrapping_key_of_another_length_is_refused(folder: Path, content: bytes) -> None:
    with pytest.raises(ConfigError, match=r"archive\.key_file: .* exactly 32 bytes") as caught:
        wrapping_key(folder, content).read_key()
    assert "canary" not in str(caught.value)
