"""Folders: how a server names them, what it uses them for, and how we write their names. Pure."""

import base64
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mailroom.transport.imap_parse import Response, values

_PRINTABLE_OR_NOT = re.compile("[ -~]+|[^ -~]+")
_ENCODED = re.compile("&([A-Za-z0-9+,]*)-")


@dataclass(frozen=True, slots=True)
class Folder:
    """One folder: its name in the server's own form, and its attributes in lower case, such as those of special use."""

    wire: str
    attributes: frozenset[str]

    @property
    def name(self) -> str:
        """The name as people read it, and as the configuration takes it."""
        return _ENCODED.sub(_decoded, self.wire)

    @property
    def opens(self) -> bool:
        """Whether it can hold messages."""
        return not self.attributes & {"\\noselect", "\\nonexistent"}


def listed(responses: Iterable[Response]) -> list[Folder]:
    """Collect LIST responses.

    See Also:
        RFC 3501 section 7.2.2, https://www.rfc-editor.org/rfc/rfc3501#section-7.2.2
        RFC 6154 (special use), https://www.rfc-editor.org/rfc/rfc6154#section-2
    """
    found = []
    for response in responses:
        match values(response):
            case [b"*", bytes(word), list(attributes), _, bytes(name)] if word.upper() == b"LIST":
                words = (one.decode("ascii", "replace").lower() for one in attributes if isinstance(one, bytes))
                found.append(Folder(name.decode("utf-8", "replace"), frozenset(words)))
    return found


def namespaces(responses: Iterable[Response]) -> list[tuple[str, str]]:
    """Give (prefix, delimiter) of every namespace, the personal one first.

    See Also:
        RFC 2342 section 5, https://www.rfc-editor.org/rfc/rfc2342#section-5
    """
    found = []
    for response in responses:
        match values(response):
            case [b"*", b"NAMESPACE", *groups]:
                found += [entry for group in groups if isinstance(group, list) for entry in group]
    return [
        (entry[0].decode("ascii", "replace"), (entry[1] or b"").decode("ascii", "replace"))
        for entry in found
        if isinstance(entry, list) and len(entry) > 1 and isinstance(entry[0], bytes) and not isinstance(entry[1], list)
    ]


def folder_argument(name: str, spaces: Sequence[tuple[str, str]]) -> str:
    """Write a configured folder name as a quoted argument in the server's own form.

    `/` in `name` divides levels whatever the server's delimiter is. A name outside every known namespace is put
    into the personal one, so `Filed` becomes `INBOX.Filed` where the server wants that.
    """
    if name.upper() == "INBOX":
        return '"INBOX"'
    prefix, delimiter = spaces[0] if spaces else ("", "")
    wire = utf7(name.replace("/", delimiter or "/"))
    if not any(other and wire.startswith(other) for other, _ in spaces):
        wire = prefix + wire
    return quoted(wire)


def quoted(wire: str) -> str:
    """Write a name in the server's own form as a quoted argument."""
    return '"' + wire.replace("\\", "\\\\").replace('"', '\\"') + '"'


def utf7(text: str) -> str:
    """Encode a folder name in modified UTF-7, so that any text is printable ASCII.

    See Also:
        RFC 3501 section 5.1.3, https://www.rfc-editor.org/rfc/rfc3501#section-5.1.3
    """
    return "".join(
        run.replace("&", "&-") if run.isascii() and run.isprintable() else f"&{_base64(run)}-"
        for run in _PRINTABLE_OR_NOT.findall(text)
    )


def _base64(run: str) -> str:
    return base64.b64encode(run.encode("utf-16-be"), b"+,").decode().rstrip("=")


def _decoded(run: re.Match[str]) -> str:
    """Undo `utf7` for one run; what is not its work stays as it is."""
    code = run[1].replace(",", "/")
    try:
        return base64.b64decode(code + "=" * (-len(code) % 4)).decode("utf-16-be") if code else "&"
    except ValueError:
        return run[0]
