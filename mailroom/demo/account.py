"""The demo's account on the terminal: what arrived, what was filed, which rule hit and why, what was answered."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from mailroom.demo.people import Read
from mailroom.demo.play import Scene, Story
from mailroom.demo.samples import DESK
from mailroom.referral.offer import language_name
from mailroom.referral.templates import SEPARATOR
from mailroom.triage.country import country_name

_LABEL = 8  # columns


def tell(console: Console, story: Story, kept: Path | None) -> None:
    """Print the account; `kept` is the folder that holds everything, if there is one."""
    console.rule(Text("Mailroom demo", style="bold"), style="cyan")
    _lines(console, _opening(story))
    for number, scene in enumerate(story.scenes, 1):
        _scene(console, number, scene)
    console.print()
    console.rule(Text("What came of it", style="bold"), style="cyan")
    for paragraph in (_counts(story), _proof(story), *_next(story, kept)):
        _lines(console, paragraph)


def _lines(console: Console, text: str, first: str = "", rest: str = "") -> None:
    """Print `text` in the width of the terminal: `first` stands before its first line, `rest` before the others."""
    start = first
    for line in text.splitlines():
        for part in Text(line).wrap(console, max(console.width - len(start), 20)) or [Text()]:
            part.rstrip()
            console.print(Text.assemble((start if part else start.rstrip(), "cyan"), part))
            start = rest


def _scene(console: Console, number: int, scene: Scene) -> None:
    console.print()
    console.print(Text(f"{number}. {scene.sample.title}", style="bold"))
    for name, value in _facts(scene):
        _lines(console, value, f"  {name:{_LABEL}}", " " * (_LABEL + 2))
    if scene.sample.shown:
        _letters(console, scene)


def _facts(scene: Scene) -> Iterator[tuple[str, str]]:
    found = scene.decision
    yield "arrived", _arrived(found)
    yield "filed", _filed(scene)
    if found["rule"]["id"]:
        yield "because", _evidence(found["triage"])
        yield "rule", _rule(found["rule"])
    yield "answer", _answer(found["reply"])
    yield "notice", f"{scene.notice.subject}, encrypted; outside only: {scene.outer_subject}"


def _arrived(found: Mapping[str, Any]) -> str:
    message, language = found["message"], found["triage"]["language"]["value"]
    files = [f"with {one['name']} ({one['type']}, {one['size']} bytes)" for one in message["attachments"]]
    protection = "encrypted, its subject too" if found["openpgp"]["encrypted"] else "not encrypted"
    parts = [message["from"], language_name(language, "en"), protection, *files]
    return f"{', '.join(parts)}\n{message['subject']}"


def _filed(scene: Scene) -> str:
    kind, found = scene.decision["kind"], scene.decision["triage"]
    if kind == "follow_up":
        return f"{scene.reference}, the same case, found by the mail that it answers"
    country = found["country"]["value"]
    place = country_name(country, "en") if country else "country not known"
    flags = f"; flags: {', '.join(found['flags'])}" if found["flags"] else ""
    return f"{scene.reference}, {kind}: {found['category']['value']}, {place}{flags}"


def _evidence(found: Mapping[str, Any]) -> str:
    words = {name: found[name]["evidence"] for name in ("category", "country")} | found["flag_evidence"]
    given = [f"{name}: {', '.join(f'“{one}”' for one in said[:2])}" for name, said in words.items() if said]
    wish = {"ok": "this address is safe", "unsafe": "others read this address", "none": "no answer is wanted"}
    said = [f"the writer says: {wish[found['contact']]}"] if found["contact"] else []
    return "; ".join([*given, *said])


def _rule(rule: Mapping[str, Any]) -> str:
    misses = len(rule["trace"]) - 1
    before = f", after {misses} {'miss' if misses == 1 else 'misses'}" if misses else ""
    return f"{rule['id']} ({rule['file']}:{rule['line']}{before}): {rule['trace'][-1]['why']}"


def _answer(reply: Mapping[str, Any]) -> str:
    if not reply["template"]:
        return f"none: {reply['why']}"
    language = language_name(reply["language"], "en")
    both = " and then English, until somebody has reviewed that text" if SEPARATOR in reply["body"] else ""
    services = f"; services: {', '.join(reply['services'])}" if reply["services"] else ""
    sealed = ", encrypted to the key that came with the mail" if reply["encrypted"] else ""
    what = f"{reply['template']}, in {language}{both}{sealed}{services}"
    return what if reply["will_send"] else f"held for the keeper, because {reply['why']}: {what}"


def _letters(console: Console, scene: Scene) -> None:
    name = scene.sample.message.sender_name
    if scene.reply:
        _letter(console, f"What {name} reads", scene.reply)
    _letter(console, "What the keeper reads", scene.notice)


def _letter(console: Console, title: str, letter: Read) -> None:
    console.print()
    _lines(console, f"{title} ({letter.protection or 'the mail is not encrypted'}):", "  ", "  ")
    _lines(console, f"Subject: {letter.subject}\n\n{letter.text}", "  | ", "  | ")


def _opening(story: Story) -> str:
    return (
        "A desk was set up on this machine, with fresh keys, mail servers of its own and invented services. "
        f"{len(story.scenes)} mails from invented people came to {DESK}; the daemon filed them and answered in "
        f"{story.seconds:.1f} seconds. The record keeper was told of each. Nothing left this machine."
    )


def _counts(story: Story) -> str:
    replies = [scene.decision["reply"] for scene in story.scenes]
    sent = sum(1 for scene in story.scenes if scene.reply)
    held = sum(1 for reply in replies if reply["held"])
    cases = len({scene.reference for scene in story.scenes})
    return (
        f"{len(replies)} mails, {cases} cases. {sent} mails were answered, {held} answer waits for the keeper's word, "
        f"{len(replies) - sent - held} mails were not to be answered. Left in the inbox: {story.waiting}.\n\n"
    )


def _proof(story: Story) -> str:
    verdict = "opened it, and that must not be" if story.server_reads else "opened nothing"
    return (
        "What was filed and why is sealed; it was opened here with the keeper's private key, which a server never has. "
        f"The server's own key was tried on a record: it {verdict}.\n\n"
    )


def _next(story: Story, kept: Path | None) -> Iterator[str]:
    if kept is None:
        yield "Everything is gone now. To look into such a folder, keep it:\n  mailroom demo --keep DIR\n\n"
    else:
        config, out, reference = kept / "config.toml", kept / "export", story.scenes[0].reference
        yield f"Everything is kept in {kept}, the keeper's private key too (in {kept / 'keeper'}). To look into it:"
        yield f"  mailroom case list --config {config}"
        yield f"  mailroom case export {reference} {out} --config {config}"
        yield f"  gpg --homedir {kept / 'keeper'} --decrypt {out / f'{reference}-1-decision.json.pgp'}\n\n"
    yield "To set up a desk of your own, read README.md, then:\n  mailroom init DIR"
