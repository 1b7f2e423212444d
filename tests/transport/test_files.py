from pathlib import Path

import pytest

from mailroom.errors import ConfigError
from mailroom.transport.files import MAX_BYTES, read_texts


def write(folder: Path, name: str, content: bytes = b"text") -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def test_texts_come_by_relative_name_in_order(tmp_path: Path) -> None:
    write(tmp_path, "b.yaml")
    write(tmp_path, "sub/deep/a.yaml", "größe".encode())
    write(tmp_path, "a.yml")
    write(tmp_path, "notes.txt")
    (tmp_path / "folder.yaml").mkdir()
    texts = read_texts(tmp_path, ["**/*.yaml", "*.yml", "*.y*ml"])
    assert list(texts.items()) == [("a.yml", "text"), ("b.yaml", "text"), ("sub/deep/a.yaml", "größe")]


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    write(tmp_path, ".draft.yaml", b"\xff")
    write(tmp_path, ".git/a.yaml", b"\xff")
    (tmp_path / ".#a.yaml").symlink_to("nobody@nowhere")
    assert read_texts(tmp_path, ["**/*"]) == {}


def test_line_ends_and_byte_order_mark_are_evened_out(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    assert read_texts(tmp_path, ["*"]) == {"a.yaml": "one\ntwo\nthree\n"}


def test_all_faulty_files_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path, "good.yaml")
    write(tmp_path, "latin.yaml", b"one\ntwo\ncanary \xe9\n")
    write(tmp_path, "large.yaml", b"x" * (MAX_BYTES + 1))
    (tmp_path / "gone.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError) as caught:
        read_texts(tmp_path, ["*.yaml"])
    told = [(Path(problem.file).name, problem.where) for problem in caught.value.problems]
    assert told == [("gone.yaml", ""), ("large.yaml", ""), ("latin.yaml", "line 3")]
    assert "canary" not in str(caught.value)


def test_file_of_the_largest_size_is_read(tmp_path: Path) -> None:
    write(tmp_path, "a.yaml", b"x" * MAX_BYTES)
    assert len(read_texts(tmp_path, ["*"])["a.yaml"]) == MAX_BYTES


@pytest.mark.parametrize("name", ["none", "file"])
def test_missing_folder_is_an_error(tmp_path: Path, name: str) -> None:
    write(tmp_path, "file")
    with pytest.raises(ConfigError, match="no such folder"):
        read_texts(tmp_path / name, ["*"])
