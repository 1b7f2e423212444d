"""`mailroom explain`: what `run` would do with these mails, and why. Changes and sends nothing."""

import asyncio
import json
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from mailroom import assembly, log
from mailroom.cli.options import ConfigOption, JsonOption
from mailroom.config import Config, find, load
from mailroom.errors import ConfigError, DecryptionFailed, MailroomError
from mailroom.flow import answering
from mailroom.flow.desk import Office, Policy
from mailroom.flow.explanation import explanation
from mailroom.flow.filing import Budget
from mailroom.flow.opening import Reader
from mailroom.flow.ports import Decrypted
from mailroom.flow.routing import Link, find_case, route
from mailroom.mail.message import Arrival, RawMail, Signature
from mailroom.records import database
from mailroom.records.cases import CaseBook
from mailroom.records.clock import utc
from mailroom.share import share_path
from mailroom.transport.gnupg_home import DeskHome
from mailroom.transport.sequoia import Sequoia
from mailroom.worker import reader

# Stands where a case would have its reference; its check letter is right, so it can be read as one.
NO_REFERENCE = "0000-0000-0"


@dataclass(frozen=True, slots=True)
class Bench:
    """What mails are explained with; `cases` only where there are records."""

    office: Office
    reader: Reader
    cases: CaseBook | None


class NoKeyring:
    """Stands for GnuPG where there is no configuration: nothing opens, nobody is known."""

    def decrypt(self, _ciphertext: bytes, /) -> Decrypted:
        """Refuse: there is no key."""
        raise DecryptionFailed("no_key")

    def verify(self, _signed: bytes, _signature: bytes, /) -> Signature:
        """Say that the key is not known."""
        return Signature("unknown_key")

    def verify_inline(self, _armored: bytes, /) -> tuple[Signature, bytes]:
        """Say that the key is not known; nothing is covered."""
        return Signature("unknown_key"), b""


def explain(
    context: typer.Context,
    paths: Annotated[list[str], typer.Argument(metavar="PATH...", help="Mails, folders of mails, or - for stdin.")],
    json_lines: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say what would be done with each mail, and why."""
    log.configure("warning")
    bench = _bench(context, config)
    for path, content in _mails(paths):
        found = {"path": path} | asyncio.run(_explain(bench, content))
        typer.echo(json.dumps(found, ensure_ascii=False) if json_lines else _as_text(found))


async def _explain(bench: Bench, content: bytes) -> dict[str, object]:
    raw = RawMail(Arrival("", 0, 0, len(content)), content)
    opened = bench.reader.open(raw)
    link, budget = Link(), Budget(0, 0)
    if bench.cases is not None:
        link = await find_case(bench.cases, bench.office.policy, opened)
        budget = await bench.cases.budget(opened.message.sender or "")
    routed = route(bench.office, opened, link, budget)
    reference = routed.link.case.reference if routed.link.case else NO_REFERENCE
    routed, text = answering.settle(bench.office, routed, reference)
    encrypted = routed.answer.template is not None and answering.is_encrypted(routed, opened)
    return explanation(opened, routed, text, encrypted=encrypted)


def _bench(context: typer.Context, option: Path | None) -> Bench:
    config = _config(context, option)
    if config is None:
        return _bare_bench()
    home = DeskHome(config.openpgp.home)
    cases = assembly.records(config, home).cases if database.exists(config.database_url) else None
    return Bench(assembly.office(config, home), reader(assembly.worker_settings(config)), cases)


def _config(context: typer.Context, option: Path | None) -> Config | None:
    explicit = option or context.obj
    try:
        path = find(explicit, os.environ)
    except ConfigError:
        if explicit is not None or "MAILROOM_CONFIG" in os.environ:
            raise
        return None
    return load(path)


def _bare_bench() -> Bench:
    own = frozenset({"desk@desk.example"})
    policy = Policy("The mail desk", "desk@desk.example", own, "")
    rules = Path("rules") if Path("rules").is_dir() else share_path("rules")
    templates = Path("templates") if Path("templates").is_dir() else share_path("templates")
    office = Office(policy, (), assembly.guide_from(rules, templates), utc)
    return Bench(office, Reader(NoKeyring(), Sequoia().certificate_for, own, frozenset(), ""), None)


def _mails(paths: list[str]) -> Iterator[tuple[str, bytes]]:
    for path in paths:
        if path == "-":
            yield path, sys.stdin.buffer.read()
        elif Path(path).is_dir():
            inside = sorted(one for one in Path(path).rglob("*") if one.is_file() and not one.name.startswith("."))
            yield from ((str(one), one.read_bytes()) for one in inside)
        else:
            yield path, _read(path)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise MailroomError(f"{path} cannot be read: {error.strerror}") from None


def _as_text(found: dict[str, object]) -> str:
    triage, reply, rule = found["triage"], found["reply"], found["rule"]
    lines = [f"{found['path']}: {found['kind']}"]
    if isinstance(triage, dict):
        lines += [
            f"  {name}: {triage[name]['value']} {triage[name]['evidence']}"
            for name in ("language", "country", "category")
        ]
        lines += [f"  flags: {', '.join(triage['flags']) or 'none'}; contact: {triage['contact'] or 'nothing said'}"]
    if isinstance(rule, dict):
        lines += [f"  rule: {rule['id']} ({rule['file']}, line {rule['line']})"]
    if isinstance(reply, dict):
        lines += [f"  answer: {'yes' if reply['will_send'] else 'no'}, {reply['why']}"]
        lines += ["", *(f"  | {line}" for line in str(reply["body"] or "").splitlines()), ""]
    return "\n".join(lines)
