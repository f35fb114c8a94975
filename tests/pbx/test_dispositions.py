"""The table of outcomes, each row on a real Asterisk 22 and 16: what dialerd reports, with AMI and without.

All calls of a version are placed at once, then each row is looked at by a test of its own.
"""

import time
from collections.abc import Callable, Iterator

import pytest

from dialerd.core.disposition import judge
from tests.asterisk import Asterisk
from tests.pbx.outcomes import (
    ANSWERED,
    NO_APPLICATION,
    NO_EXTENSION,
    NOANSWER,
    ROWS,
    TALK,
    WAIT_S,
    D,
    Outcomes,
    Row,
    Watched,
    prepared,
)
from tests.pbx.place import place
from tests.waiting import until


@pytest.fixture(scope="module")
def running() -> Iterator[Callable[[int], Asterisk]]:
    """One prepared Asterisk of each version, started when it is first asked for."""
    instances: dict[int, Asterisk] = {}

    def get(version: int) -> Asterisk:
        if version not in instances:
            instances[version] = prepared(version).start()
        return instances[version]

    yield get
    for instance in instances.values():
        instance.remove()


@pytest.fixture(scope="module", params=[22, 16])
def outcomes(request: pytest.FixtureRequest, running: Callable[[int], Asterisk]) -> Outcomes:
    """Places every row's call and waits for all of them."""
    found = Outcomes(request.param)
    with Watched(running(request.param)) as watched:
        wait = f"\nWaitTime: {WAIT_S}"
        names = {row: place(watched.asterisk, row.channel, row.action + wait) for row in ROWS}
        until(lambda: all(watched.over(name) for name in names.values()), 20)
        for row, name in names.items():
            found.statuses[row] = watched.status(name)
            found.results[row] = watched.judged(name, in_dialplan=row.action.startswith("Context"))
            found.blind[row] = judge(watched.status(name), None, ami=False)
    return found


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_an_outcome_is_reported_as_the_table_says(outcomes: Outcomes, row: Row) -> None:
    result = outcomes.results[row]

    assert outcomes.statuses[row] == row.status
    assert (result.disposition, result.permanent) == (row.expected, row.permanent), result
    assert (result.action_failed, bool(result.warning)) == (row.action_failed, row.warning), result
    if row.cause != (None, None):
        assert result.hangup_cause == row.cause[0 if outcomes.version == 22 else 1]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_without_ami_the_archives_word_is_all_there_is(outcomes: Outcomes, row: Row) -> None:
    expected = {"Completed": (D.ANSWERED, False), "Expired": (D.FAILED, False), "Failed": (D.FAILED, True)}

    result = outcomes.blind[row]

    assert (result.disposition, result.permanent) == expected[row.status]
    assert ("without AMI" in result.detail) == (row.status == "Expired")


def test_the_seconds_of_ringing_and_talking_are_the_callees(outcomes: Outcomes) -> None:
    by_channel = {row.channel: outcomes.results[row] for row in [*ANSWERED, *NOANSWER]}

    rang = by_channel["PJSIP/ring-then-answer-500@loop"]
    silent = by_channel["Local/silent@sim"]
    unanswered = by_channel["Local/noanswer@out"]
    behind = by_channel["Local/answer@out-answered-first"]

    assert rang.ring_seconds == pytest.approx(0.5, abs=0.25)
    assert rang.talk_seconds == pytest.approx(1.0, abs=0.25)
    assert unanswered.ring_seconds == pytest.approx(WAIT_S, abs=0.5)
    assert (unanswered.talk_seconds, silent.ring_seconds) == (None, 0.0)
    assert behind.talk_seconds is not None
    assert behind.talk_seconds < 0.8  # the dialplan answers half a second before the callee does


@pytest.mark.parametrize("version", [22, 16])
def test_without_call_records_a_missing_application_is_not_claimed_and_a_missing_extension_is(
    running: Callable[[int], Asterisk], version: int
) -> None:
    with Watched(running(version), user="norecords") as watched:
        application = place(watched.asterisk, "Local/answer@sim", NO_APPLICATION)
        extension = place(watched.asterisk, "Local/answer@sim", NO_EXTENSION)
        until(lambda: watched.over(application) and watched.over(extension))

        results = watched.judged(application), watched.judged(extension, in_dialplan=True)

    assert [(each.disposition, each.action_failed) for each in results] == [
        (D.ANSWERED, False),
        (D.ANSWERED, True),
    ]


@pytest.mark.parametrize("version", [22, 16])
@pytest.mark.parametrize("channel", ["Local/noanswer@sim", "PJSIP/noanswer@loop", "Local/noanswer@out"])
def test_a_call_that_we_hang_up_before_an_answer_is_cancelled(
    running: Callable[[int], Asterisk], version: int, channel: str
) -> None:
    with Watched(running(version)) as watched:
        name = place(watched.asterisk, channel, f"{TALK}\nWaitTime: 30")
        near = until(
            lambda: name in watched.traces and watched.traces[name].rang and watched.traces[name].channel
        )

        watched.ami.hangup(str(near))
        until(lambda: watched.over(name))
        result = watched.judged(name, cancelled=True)

    assert (result.disposition, result.permanent) == (D.CANCELLED, False)


@pytest.mark.parametrize("version", [22, 16])
@pytest.mark.parametrize("channel", ["Local/answer@sim", "PJSIP/answer@loop"])
def test_over_asterisks_call_limit_a_call_meets_congestion(version: int, channel: str) -> None:
    instance = prepared(version, maxcalls="2")
    try:
        with Watched(instance.start()) as watched:
            full = [place(instance, "Local/answer@sim", f"{TALK}00") for _ in range(2)]
            until(lambda: all(name in watched.traces and watched.traces[name].answered for name in full))
            begun = time.monotonic()
            name = place(instance, channel, TALK)
            until(lambda: watched.over(name))
            result = watched.judged(name, at_limit=True)
    finally:
        instance.remove()

    assert time.monotonic() - begun < 30
    assert result.disposition is D.CONGESTION
    assert not result.permanent
