"""Names of folders, as doctor tells them and as the configuration takes them."""

from hypothesis import example, given
from hypothesis import strategies as st

from mailroom.transport.imap_folders import Folder, utf7


def named(wire: str) -> str:
    return Folder(wire, frozenset()).name


@given(st.text(st.characters(exclude_categories=["Cs"])))
@example("[Gmail]/Messages envoyés")
@example("R&D - été & hiver")
def test_a_name_is_read_back_as_it_was_written(name: str) -> None:
    assert named(utf7(name)) == name


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
@example("&AAA-")
@example("&2AA-")
def test_any_name_of_a_server_can_be_shown(wire: str) -> None:
    assert isinstance(named(wire), str)
