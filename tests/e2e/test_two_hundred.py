"""The main job, at length."""

import asyncio
import json
from collections import Counter

from tests.e2e.conftest import Build
from tests.e2e.house import notices, parsed, replies
from tests.e2e.letters import mixed
from tests.gnupg_home import gpg
from tests.servers.sink import Sink

COUNT = 200


async def test_two_hundred_mixed_mails_are_filed_answered_and_noticed_exactly_once(furnish: Build, sink: Sink) -> None:
    house = furnish()
    house.receive(*mixed(COUNT))
    done = await asyncio.to_thread(house.fresh, "run", "--once", "--json")
    summary = json.loads(done.stdout.splitlines()[-1])
    parts = ("filed", "follow_ups", "commands", "parked", "duplicates", "deferred")
    assert summary["fetched"] == sum(summary[part] for part in parts) == COUNT
    assert (summary["filed"], summary["replies_sent"], summary["outbox_left"]) == (COUNT, COUNT, 0)
    assert house.inbox() == []
    cases = await asyncio.to_thread(house.cases)
    assert len({case["case"] for case in cases}) == COUNT
    answered = Counter(one.rcpt_tos for one in replies(sink.deliveries))
    assert answered == {(f"writer{number}@example.net",): 1 for number in range(COUNT)}
    told = Counter(parsed(one)["Subject"] for one in notices(sink.deliveries))
    assert told == {f"Note [{case['case']}]": 1 for case in cases}
    assert len({parsed(one)["Message-ID"] for one in sink.deliveries}) == 2 * COUNT


async def test_the_notice_tells_the_keeper_what_was_written_and_why_it_was_answered_so(
    furnish: Build, sink: Sink, people_home: object
) -> None:
    house = furnish()
    house.receive(next(mixed(1)))
    await asyncio.to_thread(house.mailroom, "run", "--once")
    [notice] = notices(sink.deliveries)
    ciphertext = parsed(notice).get_payload()[1].get_payload(decode=True)  # type: ignore[union-attr,index]  # it is a multipart
    opened = gpg(people_home, "--decrypt", stdin=ciphertext).decode()  # type: ignore[arg-type]  # a Path
    assert "follows me home every evening" in opened
    assert "rule:" in opened
    assert "answer:" in opened


async def test_a_second_run_finds_nothing_to_do(furnish: Build, sink: Sink) -> None:
    house = furnish()
    house.receive(*mixed(3))
    await asyncio.to_thread(house.mailroom, "run", "--once")
    before = len(sink.deliveries)
    done = await asyncio.to_thread(house.mailroom, "run", "--once", "--json")
    assert json.loads(done.stdout.splitlines()[-1])["fetched"] == 0
    assert len(sink.deliveries) == before
