"""Laws of reading and writing IMAP, whatever the network, the server and the names are."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from mailroom.transport import imap_folders as folders
from mailroom.transport import imap_parse as parse

UIDS = st.sets(st.integers(1, 2**32 - 1) | st.integers(1, 60), max_size=400)
LINES = st.binary(max_size=30).map(lambda line: line.replace(b"\n", b"").replace(b"}", b")"))


@st.composite
def responses(draw: st.DrawFn) -> tuple[tuple[bytes, ...], bytes]:
    """A response as parts, and as it looks on the wire."""
    literals = draw(st.lists(st.binary(max_size=40), max_size=3))
    parts: list[bytes] = []
    for literal in literals:
        parts += [draw(LINES) + b" {%d}" % len(literal), literal]
    parts.append(draw(LINES))
    wire = b"".join(part + (b"" if index % 2 else b"\r\n") for index, part in enumerate(parts))
    return tuple(parts), wire


@given(st.lists(responses(), max_size=4), st.lists(st.integers(1, 20), min_size=1))
def test_a_stream_is_read_alike_however_the_network_cuts_it(
    said: list[tuple[tuple[bytes, ...], bytes]], sizes: list[int]
) -> None:
    wire, reader, got, size = b"".join(one[1] for one in said), parse.ResponseReader(), [], 0
    while wire:
        chunk, wire = wire[: sizes[size % len(sizes)]], wire[sizes[size % len(sizes)] :]
        got += reader.feed(chunk)
        size += 1
    assert got == [one[0] for one in said]


@given(UIDS)
def test_uid_sets_name_exactly_these_uids_in_short_lines(uids: set[int]) -> None:
    sets = list(parse.uid_sets(uids))
    assert [uid for one in sets for uid in parse.uids_of(one.encode(), 10_000)] == sorted(uids)
    assert all(0 < len(one) <= parse.SET_BYTES for one in sets)


def test_neighbours_become_ranges_and_long_sets_are_split() -> None:
    assert list(parse.uid_sets([7, 1, 2, 3, 9])) == ["1:3,7,9"]
    sets = list(parse.uid_sets(range(4_000_000_000, 4_000_004_000, 2)))
    assert all(len(one) <= parse.SET_BYTES for one in sets)
    assert sum(one.count(",") + 1 for one in sets) == 2000
    assert len(list(parse.uid_sets(range(1, 20_001)))) == 20


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_modified_utf7_is_printable_ascii_and_says_the_same(name: str) -> None:
    wire = folders.utf7(name)
    assert wire.isascii()
    assert wire.isprintable()
    assert _decoded(wire) == name


def _decoded(wire: str) -> str:
    """Decode modified UTF-7 by RFC 3501 section 5.1.3, written apart from the encoder."""
    text, rest = "", wire
    while rest:
        plain, shift, rest = rest.partition("&")
        text += plain
        if shift:
            code, end, rest = rest.partition("-")
            assert end
            padded = code.replace(",", "/") + "=" * (-len(code) % 4)
            text += base64.b64decode(padded, validate=True).decode("utf-16-be") if code else "&"
    return text


def test_modified_utf7_is_what_the_standard_shows() -> None:
    assert folders.utf7("~peter/mail/台北/日本語") == "~peter/mail/&U,BTFw-/&ZeVnLIqe-"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_folder_name_is_one_quoted_argument(name: str) -> None:
    argument = folders.folder_argument(name, [("", "/")])
    (value,) = parse.values((argument.encode(),))
    assert isinstance(value, bytes)
    assert argument.isprintable()
    assert _decoded(value.decode()) == ("INBOX" if name.upper() == "INBOX" else name)


@given(st.lists(st.binary() | st.text('()"\\{} NILBODY[]').map(str.encode), min_size=1, max_size=7).map(tuple))
def test_no_answer_of_a_server_breaks_the_parser(response: tuple[bytes, ...]) -> None:
    parsed = parse.values(response)
    parse.fetched([response, (b"* 1 FETCH " + response[0], *response[1:])])
    parse.text_part(parsed)
    folders.namespaces([response, (b"* NAMESPACE " + response[0],)])
    parse.search_result([(b"* SEARCH " + response[0],)])
    parse.copied(response, 50)
    parse.response_code(response[0])


def test_a_structure_of_absurd_depth_has_no_text() -> None:
    def nested(depth: int) -> parse.Value:
        return parse.values((b"(" * depth + b'"TEXT" "PLAIN"' + b' "MIXED")' * depth,))

    assert parse.text_part(nested(20)) == ".".join(["1"] * 20)
    assert parse.text_part(nested(20_000)) is None


def test_quoted_strings_and_literals_are_values_and_nil_is_none() -> None:
    response = (b'* 1 FETCH (A "x \\"(\\\\" B {3}', b")N(", b' C NIL D "NIL" E ())')
    assert parse.values(response)[3] == [b"A", b'x "(\\', b"B", b")N(", b"C", None, b"D", b"NIL", b"E", []]


def test_a_code_is_told_without_the_words_behind_it() -> None:
    assert parse.response_code(b"[TRYCREATE] no folder Secret") == "TRYCREATE"
    assert parse.response_code(b"[COPYUID 1 2 3] done") == "COPYUID"
    assert parse.response_code(b"no [SECRET] here") == ""
