"""An IMAP server with the ways of Gmail: folders are labels, and what is expunged elsewhere stays under All Mail."""

import re

from tests.servers.scripted import ScriptedImap

GREETED = {"CAPABILITY": "* CAPABILITY IMAP4rev1 UIDPLUS MOVE IDLE X-GM-EXT-1 SPECIAL-USE\r\n{tag} OK done"}
LIST = [
    r'* LIST (\HasNoChildren) "/" "INBOX"',
    r'* LIST (\All \HasNoChildren) "/" "[Gmail]/All Mail"',
    r'* LIST (\HasNoChildren \Trash) "/" "[Gmail]/Trash"',
]
UIDVALIDITY = 7


class Gmail(ScriptedImap):
    """Messages by folder and UID. With `hidden` the trash is not shown over IMAP, as people can set it.

    See Also:
        https://developers.google.com/workspace/gmail/imap/imap-extensions
    """

    def __init__(self, *uids: int, hidden: bool = False) -> None:
        super().__init__(GREETED)
        self.folders: dict[str, set[int]] = {"INBOX": set(uids), "[Gmail]/All Mail": set(uids), "[Gmail]/Trash": set()}
        self._list = "\r\n".join(LIST[:2] if hidden else LIST)
        self._open, self._deleted = "", set[int]()

    def reply_to(self, command: str) -> str:
        """Answer as Gmail does."""
        folder = re.search(r'"([^"]+)"$', command)
        match command.split()[:2]:
            case ["LIST", _]:
                return f"{self._list}\r\n{{tag}} OK"
            case ["SELECT", _] if folder:
                self._open, self._deleted = folder[1], set()
                return super().reply_to(command)
            case ["UID", "SEARCH"]:
                return f"* SEARCH {' '.join(map(str, sorted(self.folders[self._open])))}\r\n{{tag}} OK"
            case ["UID", "MOVE"] if folder:
                return self._move(_uids(command), folder[1])
            case ["UID", "STORE"]:
                self._deleted |= _uids(command)
            case ["UID", "EXPUNGE"]:
                self._expunge(_uids(command) & self._deleted)
        return super().reply_to(command)

    def _move(self, uids: set[int], folder: str) -> str:
        """Give other UIDs in the trash: 100 more. A message in the trash is under All Mail no more."""
        self.folders[self._open] -= uids
        if folder.endswith("Trash"):
            self.folders["[Gmail]/All Mail"] -= uids
        self.folders[folder] |= {uid + 100 for uid in uids}
        old, new = (",".join(str(uid + more) for uid in sorted(uids)) for more in (0, 100))
        return f"* OK [COPYUID {UIDVALIDITY} {old} {new}] done\r\n{{tag}} OK"

    def _expunge(self, uids: set[int]) -> None:
        self.folders[self._open] -= uids


def _uids(command: str) -> set[int]:
    found: set[int] = set()
    for part in command.split()[2].split(","):
        first, _, last = part.partition(":")
        found |= set(range(int(first), int(last or first) + 1))
    return found
