"""Lets the mails arrive, runs the real daemon over them, and gathers what came of each."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mailroom import daemon
from mailroom.daemon import Summary
from mailroom.demo.people import Read, read_plain
from mailroom.demo.samples import KEEPER, SEALED, Sample, delivered, first_round, sealed, second_round
from mailroom.demo.servers import Sent
from mailroom.demo.stage import Furnish, Stage, built
from mailroom.errors import DecryptionFailed, MailroomError
from mailroom.office import keyring


@dataclass(frozen=True, slots=True)
class Scene:
    """One mail and what it caused. `decision` is what was sealed beside it, in the form of `explain --json`."""

    sample: Sample
    arrived: bytes = field(repr=False)
    reference: str
    decision: Mapping[str, Any] = field(repr=False)
    reply: Read | None
    notice: Read
    outer_subject: str
    letters: tuple[Sent, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Story:
    """The whole demo. `seconds` is what the daemon needed; `waiting` counts what is left in the inbox.

    `server_reads`: whether the server's own key opens what is in the records (it must not).
    """

    scenes: tuple[Scene, ...]
    seconds: float
    waiting: int
    server_reads: bool


async def play(place: Path, furnish: Furnish) -> Story:
    """Play both rounds in this folder.

    Raises:
        MailroomError: something did not work; the text says what.
    """
    async with built(place, furnish) as stage:
        scenes, seconds = await _round(stage, first_round())
        replies = {scene.sample.sender: scene.reply for scene in scenes if scene.reply}
        more, later = await _round(stage, second_round(replies))
        reads = await asyncio.to_thread(_server_reads, stage, scenes[0].reference)
        return Story((*scenes, *more), seconds + later, await stage.imap.waiting(), reads)


def keep_mails(place: Path, story: Story) -> None:
    """Write every mail that came in and went out into the folder."""
    for name in ("arrived", "sent"):
        (place / name).mkdir(mode=0o700)
    for number, scene in enumerate(story.scenes, 1):
        (place / "arrived" / scene.sample.name).write_bytes(scene.arrived)
        for letter in scene.letters:
            kind = "notice" if letter.recipient == KEEPER else "reply"
            (place / "sent" / f"{number:02}-{kind}.eml").write_bytes(letter.content)


async def _round(stage: Stage, samples: Sequence[Sample]) -> tuple[list[Scene], float]:
    arrived = {sample.sender: delivered(sample, _written(stage, sample)) for sample in samples}
    await stage.imap.receive(list(arrived.values()))
    summary = await daemon.run_once(stage.desk)
    _require_all(summary, len(samples))
    letters = stage.smtp.take()
    return await asyncio.to_thread(_scenes, stage, samples, arrived, letters), summary.seconds


def _written(stage: Stage, sample: Sample) -> bytes:
    if sample.sender != SEALED:
        return sample.content
    return sealed(sample, stage.writer.certificate, stage.certificate)


def _require_all(summary: Summary, count: int) -> None:
    done = summary.drained.filed + summary.drained.follow_ups
    if done != count or summary.outbox_left or summary.trouble:
        raise MailroomError(
            f"The demo did not work: {done} of {count} mails were filed, {summary.outbox_left} letters were not sent."
        )


def _filed(stage: Stage) -> dict[str, tuple[str, int]]:
    """Give for each sender the case and the number of her last mail in it."""
    found = {}
    for line in stage.casework.page():
        shown: Any = stage.casework.show(str(line["case"]))
        last = shown["mails"][-1]
        found[last["from"]] = (shown["case"], last["number"])
    return found


def _scenes(
    stage: Stage, samples: Sequence[Sample], arrived: Mapping[str, bytes], letters: Sequence[Sent]
) -> list[Scene]:
    # one after the other: each look into the records is logged there
    filed = _filed(stage)
    return [_scene(stage, sample, arrived[sample.sender], filed[sample.sender], letters) for sample in samples]


def _scene(stage: Stage, sample: Sample, arrived: bytes, filed: tuple[str, int], letters: Sequence[Sent]) -> Scene:
    reference, number = filed
    replies = [one for one in letters if one.recipient == sample.sender]
    notices = [one for one in letters if one.recipient == KEEPER and reference in read_plain(one.content).subject]
    return Scene(
        sample=sample,
        arrived=arrived,
        reference=reference,
        decision=json.loads(stage.keeper.open(_decision(stage, reference, number))),
        reply=stage.writer.read(replies[0].content) if replies else None,
        notice=stage.keeper.read(notices[0].content),
        outer_subject=read_plain(notices[0].content).subject,
        letters=(*replies, *notices),
    )


def _decision(stage: Stage, reference: str, number: int) -> bytes:
    """Take the sealed decision about one mail out of the records: an OpenPGP message to the keeper."""
    found = stage.casework.contents(reference)
    return next(one.content for one in found if one.name == "decision" and one.number == number and one.archived)


def _server_reads(stage: Stage, reference: str) -> bool:
    try:
        keyring(stage.config).decrypt(_decision(stage, reference, 1))
    except DecryptionFailed:
        return False
    return True
