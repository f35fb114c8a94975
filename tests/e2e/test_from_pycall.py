"""Every code block of docs/from-pycall.md is run as it stands there, and Asterisk's own records and events
say what came of it. The provider `flowroute` is this Asterisk itself: its far end answers 18002223333, and
lets 18002223302 ring.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from tests.asterisk import PROJECT, Asterisk
from tests.e2e.examples import ENVIRONMENT, JOB_FILES, RUN, Block, Outcome, World, blocks_of
from tests.users import ASTERISK_UID
from tests.waiting import until

PAGE = PROJECT / "docs" / "from-pycall.md"
NUMBER, OTHER_NUMBER, SILENT_NUMBER = "18002223333", "18882223333", "18002223302"
REFUSED = 65
BLOCKS = list(blocks_of(PAGE.read_text()))
TO_RUN = [block for block in BLOCKS if block.kind not in ENVIRONMENT]
_FLOWROUTE = """
[flowroute]
type = endpoint
context = sim
transport = loopback
aors = flowroute
disallow = all
allow = ulaw
[flowroute]
type = aor
contact = sip:127.0.0.1:{port}
"""
_INTERNAL = "[internal]\nexten => 1000,1,Goto(sim,noanswer,1)\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The world in which all blocks were run, in order; their calls may still be under way."""
    asterisk = Asterisk()
    made = None
    try:
        sip_port = re.search(r"SIP_PORT=(\d+)", (asterisk.folder / "ports").read_text())
        assert sip_port is not None
        asterisk.configure("pjsip.conf", _FLOWROUTE.format(port=sip_port[1]))
        asterisk.start()
        asterisk.add_dialplan(_INTERNAL + "".join(block.text for block in BLOCKS if block.kind == "ini"))
        made = World(asterisk, tmp_path_factory.mktemp("page"), BLOCKS, NUMBER)
        made.daemon.start()
        until(lambda: made.daemon.request("GET", "/v1/status")[1]["asterisk"]["ami"] == "up")
        for block in TO_RUN:
            made.outcomes[block] = made.carry_out(block)
        yield made
    finally:
        if made is not None:
            made.close()
        asterisk.remove()


def answered(world: World, job: str, number: str = NUMBER) -> dict[str, str]:
    """The call record of a job that, by dialerd's word and Asterisk's, was answered under that number."""
    ended = world.daemon.ended(job, 60)
    assert (ended["state"], ended["attempts"][-1]["disposition"]) == ("completed", "ANSWERED")
    row = until(lambda: world.records(job))[0]
    assert row["disposition"] == "ANSWERED"
    assert world.dialled(job) == {f"{number}@flowroute"}
    return row


def greeted(world: World, job: str) -> dict[str, str]:
    """The call record of a job that was answered and played hello-world."""
    row = answered(world, job)
    assert (row["lastapp"], row["lastdata"]) == ("Playback", "hello-world")
    return row


def surveyed(world: World, job: str, number: str) -> dict[str, str]:
    """What the page's dialplan said of a job that was sent there."""
    row = answered(world, job, number)
    assert row["dcontext"] == "survey"
    said = {"UserEvent": "Survey", "Job": job}
    return until(lambda: next((each for each in list(world.events) if said.items() <= each.items()), None))


def hello(world: World, block: Block, outcome: Outcome) -> None:
    assert len(outcome.jobs) == 1 + block.text.startswith("cp ")
    for job in outcome.jobs:
        greeted(world, job)


def several(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert world.daemon.ended(job)["attempts"][0]["disposition"] == "ANSWERED"
    rows = until(lambda: world.records(job))
    assert ("Playback", "hello-world") in {(row["lastapp"], row["lastdata"]) for row in rows}
    assert {"1000@internal", f"{NUMBER}@flowroute"} <= world.dialled(job)


def in_an_hour(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    at_once = '"in 3s"' in block.text
    shown = world.daemon.job(job)
    due = moment(shown["not_before"])
    ahead = timedelta(seconds=3 if at_once else 3600)
    assert abs(due - moment(shown["created"]) - ahead) < timedelta(seconds=2)
    if at_once:
        begun = datetime.fromisoformat(greeted(world, job)["start"]).astimezone()
        assert due - timedelta(seconds=1) < begun < due + timedelta(seconds=5)
    else:
        assert (shown["state"], world.channels(job)) == ("queued", set())


def at_a_date(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    shown = world.daemon.job(job)
    assert moment(shown["not_before"]) == datetime.fromisoformat("2035-12-01T01:00:00-05:00")
    assert (shown["state"], world.channels(job)) == ("queued", set())


def permissions(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    greeted(world, job)
    assert outcome.owners == {ASTERISK_UID}


def logic(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert surveyed(world, job, NUMBER)["Greeting"] == ""


def caller_id(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert greeted(world, job)["clid"] == '"Test User" <5555555555>'


def variables(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert surveyed(world, job, OTHER_NUMBER)["Greeting"] == "tt-monkeys"
    steps = [event for event in list(world.events) if event.get("Event") == "Newexten"]
    mine = [event for event in steps if event["Uniqueid"] in world.channels(job)]
    assert any("Playback(tt-monkeys)" in event["AppData"] for event in mine)


def account(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert greeted(world, job)["accountcode"] == "randall"


def timing(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    shown = until(lambda: (now := world.daemon.job(job))["state"] == "deferred" and now, 40)
    (attempt,) = shown["attempts"]
    pause = moment(shown["not_before"]) - moment(attempt["ended"])
    assert (attempt["disposition"], shown["max_retries"]) == ("NOANSWER", 2)
    assert world.dialled(job) == {f"{SILENT_NUMBER}@flowroute"}
    assert 9 <= int(until(lambda: world.records(job))[0]["duration"]) <= 12
    assert abs(pause - timedelta(seconds=60)) < timedelta(seconds=2)


def archive(world: World, block: Block, outcome: Outcome) -> None:
    hello(world, block, outcome)
    kept = world.daemon.job(outcome.jobs[0])
    assert kept["attempts"][0]["talk_seconds"] > 0
    if block.kind == "sh":
        assert outcome.said.splitlines()[-1].split()[:3] == [kept["id"], "call", "completed"]
    elif block.kind == "python":
        assert outcome.said == "completed ANSWERED\n"


def name(world: World, block: Block, outcome: Outcome) -> None:
    hello(world, block, outcome)
    again = world.carry_out(block)
    assert (again.jobs, again.code) == ([], 0)
    assert world.daemon.job(outcome.jobs[0])["key"] in block.text


def mistakes(world: World, block: Block, outcome: Outcome) -> None:
    said = outcome.said
    if block.kind in JOB_FILES:
        said = (world.daemon.rejected / f"{block.name}.reason").read_text()
    assert (outcome.jobs, outcome.code) == ([], REFUSED if block.kind == "sh" else 0)
    assert "wait_time" in said
    assert "Traceback" not in said


def old_script(world: World, block: Block, outcome: Outcome) -> None:
    (job,) = outcome.jobs
    assert greeted(world, job)["accountcode"] == "old-script"
    assert world.daemon.job(job)["max_retries"] == 2


CHECKS: dict[str, Callable[[World, Block, Outcome], None]] = {
    "Hello, World!": hello,
    "Several phones at once": several,
    "A call in an hour": in_an_hour,
    "A call at a date": at_a_date,
    "Permissions": permissions,
    "Complex call logic": logic,
    "Caller ID": caller_id,
    "Variables": variables,
    "Account codes": account,
    "Timing": timing,
    "Archiving": archive,
    "A name of your own": name,
    "A custom spool folder": hello,
    "Mistakes": mistakes,
    "Scripts that write call files": old_script,
}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@pytest.mark.parametrize("block", TO_RUN, ids=str)
def test_the_example_does_what_the_page_says(world: World, block: Block) -> None:
    outcome = world.outcomes[block]
    assert block.section == "Mistakes" or outcome.code == 0, outcome.said
    CHECKS[block.section](world, block, outcome)


def test_every_block_has_a_meaning_here() -> None:
    fences = [line for line in PAGE.read_text().splitlines() if line.lstrip().startswith(("```", "~~~"))]
    assert len(fences) == 2 * len(BLOCKS)
    assert {block.kind for block in BLOCKS} <= {*RUN, *ENVIRONMENT}
    assert [block for block in BLOCKS if block.kind in JOB_FILES and not block.name] == []
    assert list(dict.fromkeys(block.section for block in TO_RUN)) == list(CHECKS)


@pytest.mark.parametrize(
    "section", [section for section in CHECKS if section != "Scripts that write call files"]
)
def test_every_example_is_done_in_three_ways(section: str) -> None:
    kinds = [block.kind for block in TO_RUN if block.section == section]
    assert {"sh", "python"} < set(kinds)
    assert set(kinds) & set(JOB_FILES)
