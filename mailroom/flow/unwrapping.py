"""Opens every layer of OpenPGP in a mail, and says what each layer covers.

A mail is a tree of parts. Each encrypted part is opened and its inside put in its place; each signature is verified.
Every part that shows something remembers what lay over it. So what is *partly* encrypted, and what a signature does
*not* cover, is seen whatever wraps what: a mailing list, Exchange, or somebody who wants a signature to vouch for
words of his own.

See Also:
    "Johnny, you are fired!" (signatures that seem to cover more), https://www.usenix.org/conference/usenixsecurity19/presentation/muller
    EFAIL, https://efail.de
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from urllib.parse import quote

from mailroom.errors import DecryptionFailed
from mailroom.flow.filing import Decrypted
from mailroom.flow.ports import Keyring
from mailroom.mail import openpgp
from mailroom.mail.body import is_attached, read_body
from mailroom.mail.charset import decode
from mailroom.mail.entity import Entity, read_entity
from mailroom.mail.html import html_to_text
from mailroom.mail.message import Signature
from mailroom.mail.parse import read_payload
from mailroom.mail.protected import without_legacy_display
from mailroom.mail.smime import smime

MOST_RUNS = 5  # of gpg for one mail: each costs a process
MOST_BYTES = 33_554_432  # opened in one mail, after which no more is: each message may be as large as gpg allows
_BLANK = b"Content-Type: text/plain\r\n\r\n"
_UTF_8 = b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
_PEEK = 10_000  # bytes that tell what a file is
_ANY_FILE = "Content-Type: application/octet-stream\r\nContent-Disposition: attachment; filename*=utf-8''{}\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature was found with: the signed bytes and a detached signature, or one OpenPGP message.

    `sealed`: the message is encrypted, with the signature inside.
    """

    content: bytes = field(repr=False)
    detached: bytes | None = field(default=None, repr=False)
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """One signature, and whether all that the mail shows lies under it."""

    signature: Signature
    whole: bool
    signed: Signed


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A mail without its OpenPGP.

    `root` is the tree with everything opened in its place. `payload` is the first entity that was opened as PGP/MIME,
    else the one that is signed: protected header fields stand there. `encrypted`: something was, opened or not;
    `partial`: something else that is shown was not. `failure` says why a part did not open, `cleartexts` what did.
    """

    root: Entity
    payload: Entity | None = None
    encrypted: bool = False
    partial: bool = False
    weak: bool = False
    failure: str | None = None
    cleartexts: tuple[bytes, ...] = field(default=(), repr=False)
    verdicts: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class _Cover:
    """What lies over a part: encryption, and the signatures, by their number."""

    encrypted: bool = False
    signatures: frozenset[int] = frozenset()


def unwrap(root: Entity, keyring: Keyring) -> Unwrapped | None:
    """Open and verify what OpenPGP protects in a mail; None when nothing is. Never raises for what stands in it."""
    work = _Unwrapping(keyring, root)
    opened = work.part(root, _Cover())
    if not (work.opened or work.signatures or work.failures):
        return None
    shown = [cover for what, cover in work.shown if _shows(what)]
    encrypted = [one for one in work.opened if one.encrypted]
    is_encrypted = bool(encrypted) or work.closed
    return Unwrapped(
        root=opened,
        payload=work.payload,
        encrypted=is_encrypted,
        partial=is_encrypted and not all(cover.encrypted for cover in shown),
        weak=any(one.weak for one in encrypted),
        failure=next(iter(work.failures), None),
        cleartexts=tuple(one.content for one in encrypted),
        verdicts=tuple(
            Verdict(signature, all(number in cover.signatures for cover in shown), signed)
            for number, (signature, signed) in enumerate(work.signatures)
        ),
    )


def _shows(what: Entity | str) -> bool:
    """Tell a part that a reader sees, or can open, from blank text and from plumbing."""
    if isinstance(what, str):
        return bool(what.strip())
    found = read_body(what)
    return bool(found.texts or found.attached)


@dataclass(slots=True)
class _Unwrapping:
    """One walk over a mail; `runs` is how often gpg may still be asked, `shown` every leaf with its cover.

    `closed`: something did not open; `inline`: a text held armor.
    """

    keyring: Keyring
    root: Entity
    runs: int = MOST_RUNS
    opened: list[Decrypted] = field(default_factory=list)
    signatures: list[tuple[Signature, Signed]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    shown: list[tuple[Entity | str, _Cover]] = field(default_factory=list)
    payload: Entity | None = None
    closed: bool = False
    inline: bool = False

    def part(self, part: Entity, cover: _Cover) -> Entity:
        """Open whatever lies in a part, at any depth; give what to show in its place."""
        encrypted = openpgp.encrypted_mime(part)
        if encrypted is not None:
            return self._encrypted(part, encrypted, cover)
        signed = openpgp.signed_mime(part)
        if signed is not None:
            return self._signed(part, signed, cover)
        if not part.parts:
            return self._leaf(part, cover)
        parts = tuple(self.part(one, cover) for one in part.parts)
        changed = [old for new, old in zip(parts, part.parts, strict=True) if new is not old]
        if not changed:
            return part
        # What was opened in a version that is not shown would be lost: then every version is.
        lost = part.type == "multipart/alternative" and all(old.type != "text/plain" for old in changed)
        return replace(part, type="multipart/mixed" if lost else part.type, parts=parts)

    def _encrypted(self, part: Entity, found: openpgp.EncryptedMime, cover: _Cover) -> Entity:
        decrypted, over = self._decrypt(found.ciphertext, cover)
        if decrypted is None:
            inside = read_entity(_BLANK)
        else:
            payload = read_payload(decrypted.content)
            self.payload = self.payload or payload
            inside = self.part(without_legacy_display(payload), over)
        if not found.beside:
            return inside
        beside = [self.part(one, cover) for one in found.beside]
        return replace(part, type="multipart/mixed", parts=(inside, *beside))

    def _signed(self, part: Entity, found: openpgp.SignedMime, cover: _Cover) -> Entity:
        signature = self.keyring.verify(found.signed, found.signature) if self._may_run() else Signature("invalid")
        over = self._under(signature, Signed(found.signed, found.signature), cover)
        self.payload = self.payload or part.parts[0]
        first = self.part(without_legacy_display(part.parts[0]), over)
        return replace(part, parts=(first, *(self.part(one, cover) for one in part.parts[1:])))

    def _leaf(self, leaf: Entity, cover: _Cover) -> Entity:
        if leaf.type in {"text/plain", "text/html"} and not is_attached(leaf):
            return self._text(leaf, cover)
        unreadable = smime(leaf)
        if unreadable is not None:
            self.failures.append("smime")
            self.closed = self.closed or unreadable == "encrypted"
            cover = replace(cover, encrypted=cover.encrypted or unreadable == "encrypted")
        elif (ciphertext := openpgp.encrypted_file(leaf)) is not None:
            return self._file(leaf, ciphertext, cover)
        self.shown.append((leaf, cover))
        return leaf

    def _text(self, leaf: Entity, cover: _Cover) -> Entity:
        text, charset = _as_read(leaf)
        pieces = openpgp.pieces(text)
        if len(pieces) == 1:
            self.shown.append((leaf, cover))
            return leaf
        if leaf.type == "text/html" and self.inline:  # the same stood in the plain text, and was opened there
            self.shown += [(decode(piece.content, charset)[0], cover) for piece in pieces if piece.kind == "clear"]
            return leaf
        self.inline = True
        blocks = [piece for piece in pieces if piece.kind != "clear" or piece.content.strip()]
        if len(blocks) == 1 and blocks[0].kind == "message":
            return self._alone(blocks[0], cover)
        return _text_part(self._told(pieces, charset, cover))

    def _alone(self, piece: openpgp.Piece, cover: _Cover) -> Entity:
        """Open an armored message that is all of a text: it may hold a MIME entity."""
        decrypted, over = self._decrypt(piece.content, cover)
        if decrypted is None:
            return read_entity(_BLANK)
        if _is_mime(decrypted.content):
            return self.part(read_entity(decrypted.content), over)
        return _text_part(self._told(openpgp.pieces(decrypted.content), None, over))

    def _told(self, pieces: Sequence[openpgp.Piece], charset: str | None, cover: _Cover) -> str:
        """Give a text with what its armored blocks hold in their place."""
        told = [self._piece(piece, charset, cover).strip("\r\n") for piece in pieces]
        return "\n\n".join(text for text in told if text.strip())

    def _piece(self, piece: openpgp.Piece, charset: str | None, cover: _Cover) -> str:
        if piece.kind == "message":
            decrypted, over = self._decrypt(piece.content, cover)
            return self._told(openpgp.pieces(decrypted.content), None, over) if decrypted else ""
        text = piece.content
        if piece.kind == "signed" and self._may_run():
            signature, covered = self.keyring.verify_inline(text)
            over = self._under(signature, Signed(text), cover)
            text, cover = (covered, over) if covered else (text, cover)
        readable = decode(text, charset)[0]
        self.shown.append((readable, cover))
        return readable

    def _file(self, leaf: Entity, ciphertext: bytes, cover: _Cover) -> Entity:
        decrypted, over = self._decrypt(ciphertext, cover)
        if decrypted is None:
            self.shown.append((leaf, replace(cover, encrypted=True)))
            return leaf
        if _is_mime(decrypted.content):
            return self.part(read_entity(decrypted.content), over)
        name = openpgp.inner_name(leaf) or decrypted.name
        is_letter = _is_text(decrypted.content) and (not PurePath(name or "").suffix or not read_body(self.root).texts)
        inside = _text_part(decode(decrypted.content, None)[0]) if is_letter else _file_part(decrypted.content, name)
        self.shown.append((inside, over))
        return inside

    def _decrypt(self, ciphertext: bytes, cover: _Cover) -> tuple[Decrypted | None, _Cover]:
        """Open one message; give it with the cover of what it holds."""
        if not self._may_run():
            return self._closed("too_many", cover)
        try:
            decrypted = self.keyring.decrypt(ciphertext)
        except DecryptionFailed as failure:
            return self._closed(failure.why, cover)
        self.opened.append(decrypted)
        over = replace(cover, encrypted=cover.encrypted or decrypted.encrypted)
        if decrypted.signature.state == "none":
            return decrypted, over
        return decrypted, self._under(decrypted.signature, Signed(ciphertext, None, decrypted.encrypted), over)

    def _closed(self, why: str, cover: _Cover) -> tuple[None, _Cover]:
        self.failures.append(why)
        self.closed = True
        return None, cover

    def _may_run(self) -> bool:
        """Count one more run of gpg."""
        self.runs -= 1
        return self.runs >= 0 and sum(len(one.content) for one in self.opened) < MOST_BYTES

    def _under(self, signature: Signature, signed: Signed, cover: _Cover) -> _Cover:
        self.signatures.append((signature, signed))
        return replace(cover, signatures=cover.signatures | {len(self.signatures) - 1})


def _as_read(leaf: Entity) -> tuple[bytes, str | None]:
    """Give the text in which armor is looked for, and its charset: of HTML, what a reader sees."""
    content = openpgp.body(leaf)
    if leaf.type != "text/html":
        return content, leaf.charset
    if b"-----BEGIN" not in content:
        return b"", None
    return html_to_text(decode(content, leaf.charset)[0]).replace("\xa0", " ").encode(), "utf-8"


def _text_part(text: str) -> Entity:
    return read_entity(_UTF_8 + text.encode())


def _file_part(content: bytes, name: str | None) -> Entity:
    return read_entity(_ANY_FILE.format(quote(name or "", safe="")).encode() + content)


def _is_mime(content: bytes) -> bool:
    """Tell a MIME entity, by the fields that it begins with, from a text."""
    return any(name == "content-type" for name, _ in read_entity(content[:_PEEK]).header)


def _is_text(content: bytes) -> bool:
    """Tell what a person wrote from a file of some program."""
    text, is_utf_8 = decode(content[:_PEEK], None)
    return is_utf_8 and not any(char < " " and char not in "\t\r\n\f" for char in text)
