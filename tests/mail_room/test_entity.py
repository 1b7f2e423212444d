"""The structure that we cut is the one that Python's own parser sees, and its positions are exact."""

from email import message_from_bytes
from email.message import Message as PythonMessage
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailroom.mail.entity import Entity, read_entity

CORPUS = Path(__file__).parent.parent / "mail"
# Where we differ on purpose: a mbox line and an empty mail are taken care of in parse, and we understand a boundary
# that is used twice, or named wrongly.
OWN_WAY = {
    "44-mbox-from-line", "49-zero-bytes", "50-random-bytes", "129-boundary-used-twice",
    "152-header-names-another-boundary",
}  # fmt: skip
FOLDERS = [path.parent for path in sorted(CORPUS.glob("[0-9]*/mail.eml")) if path.parent.name not in OWN_WAY]


def python_leaves(message: PythonMessage) -> list[tuple[str, bytes]]:
    parts = message.get_payload() if message.get_content_maintype() == "multipart" else None
    if isinstance(parts, list):
        return [leaf for part in parts if isinstance(part, PythonMessage) for leaf in python_leaves(part)]
    if message.get_content_maintype() == "message":
        return [(message.get_content_type(), b"")]
    kind = message.get_content_type()
    # Without its encoding named, Python gives the body as it lies in the mail.
    del message["content-transfer-encoding"]
    body = message.get_payload(decode=True)
    assert isinstance(body, bytes)
    return [(kind, body)]


def our_leaves(entity: Entity) -> list[tuple[str, bytes]]:
    return [
        (leaf.type, b"" if leaf.type.startswith("message/") else leaf.content[leaf.body : leaf.end])
        for leaf in entity.leaves()
    ]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_parts_are_those_of_pythons_parser(folder: Path) -> None:
    content = (folder / "mail.eml").read_bytes()
    assert our_leaves(read_entity(content)) == python_leaves(message_from_bytes(content))


def built(tree: object, depth: int = 0) -> bytes:
    """Write a tree of texts as nested multiparts, with the line ends of the wire."""
    if isinstance(tree, str):
        return b"Content-Type: text/plain\r\n\r\n" + tree.encode()
    assert isinstance(tree, list)
    mark = b"b%d" % depth
    parts = b"".join(b"--" + mark + b"\r\n" + built(each, depth + 1) + b"\r\n" for each in tree)
    return b'Content-Type: multipart/mixed; boundary="' + mark + b'"\r\n\r\n' + parts + b"--" + mark + b"--"


LINES = st.lists(st.sampled_from(["--b0x", "-- b0", "b1--", "see --b0", "x--b1--", "", "words"])).map("\r\n".join)
TREES = st.recursive(LINES, lambda inner: st.lists(inner, min_size=1, max_size=4), max_leaves=12)


@given(TREES)
@settings(deadline=None)
def test_every_text_of_a_tree_comes_back_whole_and_in_order(tree: object) -> None:
    def flat(node: object) -> list[str]:
        return [node] if isinstance(node, str) else [leaf for each in node for leaf in flat(each)]  # type: ignore[attr-defined]  # a list here

    root = read_entity(built(tree))
    assert [leaf.content[leaf.body : leaf.end].decode() for leaf in root.leaves()] == flat(tree)


def test_signed_part_is_found_to_the_byte() -> None:
    signed = b"Content-Type: text/plain\r\n\r\nsigned  \r\n"
    content = (
        b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n" + signed + b"\r\n--b\r\n\r\nsignature\r\n--b--"
    )
    part = read_entity(content).parts[0]
    assert content[part.start : part.end] == signed


@pytest.mark.parametrize(
    ("content", "defect", "texts"),
    [
        (b"Content-Type: multipart/mixed\n\nlost?", "no-boundary", [b"lost?"]),
        (b"Content-Type: multipart/mixed; boundary=x\n\nlost?", "no-boundary", [b"lost?"]),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b", "no-final-boundary", [b"one", b""]),
        (b"Content-Type: multipart/mixed; boundary=b\n\n--x\nContent-ID: 1\n\none\n--x--", "no-boundary", [b"one"]),
        (b"Content-Type: multipart/mixed\n\n--x\nno header\n--x--", "no-boundary", [b"--x\nno header\n--x--"]),
        (
            b"Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n--b\n\ntwo\n--b--",
            "parts-after-end",
            [b"one", b"two"],
        ),
        (b"X: y\nno field\n\nmore", "no-header-end", [b"no field\n\nmore"]),
    ],
)
def test_broken_structure_loses_no_text_and_is_named(content: bytes, defect: str, texts: list[bytes]) -> None:
    root = read_entity(content)
    assert defect in [each for part in root.walk() for each in part.defects]
    assert [leaf.content[leaf.body : leaf.end] for leaf in root.leaves()] == texts


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
def test_any_line_end_ends_a_line(end: bytes) -> None:
    content = end.join([b"Content-Type: multipart/mixed;", b" boundary=b", b"", b"--b", b"", b"one", b"--b--"])
    root = read_entity(content)
    assert root.header == (("content-type", b"multipart/mixed; boundary=b"),)
    assert [leaf.content[leaf.body : leaf.end] for leaf in root.leaves()] == [b"one"]
