"""The demo's account on the terminal: what arrived, what was filed, which rule hit and why, what was answered."""

from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from mailroom.demo.people import Read
from mailroom.demo.play import Scene, Story
from mailroom.demo.samples import DESK, KEEPER
from mailroom.referral.offer import language_name
from mailroom.referral.templates import SEPARATOR
from mailroom.triage.country import country_name

_INDENT = "    | "


def tell(console: Console, story: Story, kept: Path | None) -> None:
    """Print the account; `kept` is the folder that holds everything, if there is one."""
    console.rule(Text("Mailroom demo", style="bold"))
    console.print(
        f"On this machine a desk was set up, with fresh keys, mail servers of its own and invented services. "
        f"{len(story.scenes)} mails from invented people came to {DESK}; the daemon filed and answered them in "
        f"{story.seconds:.1f} seconds. Nothing left this machine.\n"
    )
    for number, scene in enumerate(story.scenes, 1):
        _scene(console, number, scene)
    console.rule(Text("What came of it", style="bold"))
    for paragraph in (_counts(story), _proof(story), *_next(story, kept)):
        console.print(paragraph)


def _scene(console: Console, number: int, scene: Scene) -> None:
    console.print(Text(f"{number}. {scene.sample.title}", style="bold"))
    facts = Table.grid(padding=(0, 2, 0, 2))
    facts.add_column(style="cyan", no_wrap=True)
    facts.add_column()
    for name, value in _facts(scene):
        facts.add_row(name, Text(value))
    console.print(facts)
    if scene.sample.shown:
        _letters(console, scene)
    console.print()


def _facts(scene: Scene) -> Iterator[tuple[str, str]]:
    found = scene.decision
    yield "arrived", _arrived(found)
    yield "filed", _filed(scene)
    if found["rule"]:
        yield "because", _evidence(found["triage"])
        yield "rule", _rule(found["rule"])
    yield "answer", _answer(found["reply"])
    yield "notice", f"to {KEEPER}, encrypted; outside it says only: {scene.outer_subject}"


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
    wish = {"ok": "her address is safe", "unsafe": "others read her address", "none": "she wants no answer"}
    said = [f"she says: {wish[found['contact']]}"] if found["contact"] else []
    return "; ".join([*given, *said])


def _rule(rule: Mapping[str, Any]) -> str:
    passed = len(rule["trace"]) - 1
    before = f", after {passed} that did not fit" if passed else ""
    return f"{rule['id']} ({rule['file']}, line {rule['line']}{before}): {rule['trace'][-1]['why']}"


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
    if scene.reply:
        how = scene.reply.protection or "not encrypted, as her mail"
        _letter(console, f"What {scene.sample.message.sender_name} reads ({how})", scene.reply)
    _letter(console, f"What the keeper reads ({scene.notice.protection})", scene.notice)


def _letter(console: Console, title: str, letter: Read) -> None:
    console.print(Text(f"\n  {title}", style="cyan"))
    for line in [f"Subject: {letter.subject}", "", *letter.text.splitlines()]:
        for part in Text(line).wrap(console, max(console.width - len(_INDENT), 20)) or [Text()]:
            console.print(Text(_INDENT, style="dim") + part)


def _counts(story: Story) -> str:
    replies = [scene.decision["reply"] for scene in story.scenes]
    sent = sum(1 for scene in story.scenes if scene.reply)
    held = sum(1 for reply in replies if reply["held"])
    cases = len({scene.reference for scene in story.scenes})
    kinds = Counter(scene.decision["kind"] for scene in story.scenes)
    return (
        f"{len(story.scenes)} mails became {cases} cases and {kinds['follow_up']} follow-up. {sent} were answered, "
        f"{held} answer waits for the keeper, {len(replies) - sent - held} were not to be answered. The keeper was told "
        f"of each. Left in the inbox: {story.waiting}.\n"
    )


def _proof(story: Story) -> str:
    opened = "opened it all the same, which must not be" if story.server_reads else "opened nothing"
    return (
        "What stands above came out of the sealed records with the keeper's private key. "
        f"The server's own key was tried on the same record: it {opened}.\n"
    )


def _next(story: Story, kept: Path | None) -> Iterator[str]:
    if kept is None:
        yield "All of it is gone now. To keep such a folder and look into it: mailroom demo --keep DIR"
    else:
        reference = story.scenes[0].reference
        yield f"Everything is kept in {kept}. Look into it:"
        yield f"  mailroom case list --config {kept / 'config.toml'}"
        yield f"  mailroom case export {reference} {kept / 'export'} --config {kept / 'config.toml'}"
        yield f"  gpg --homedir {kept / 'keeper'} --decrypt {kept / 'export' / f'{reference}-1-decision.json.pgp'}"
    yield "To set up your own desk, read README.md, then: mailroom init DIR"
