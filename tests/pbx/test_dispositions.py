"""The table of outcomes, each row on a real Asterisk 22 and 16: what dialerd reports, with AMI and without.

All calls of a version are placed at once, then each row is looked at by a test of its own.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from dialerd.core.disposition import judge
from dialerd.core.model import Disposition, Result, Trace
from dialerd.core.signals import AsteriskUp, CallSeen
from dialerd.pbx.ami import Ami, AmiSettings, Secret
from tests.asterisk import Asterisk
from tests.pbx.place import place
from tests.waiting import until

DIALPLAN = """
; What a PBX does with a number: each context dials the same far ends over PJSIP.
[out]
exten => _[a-z][a-z].,1,Dial(PJSIP/${EXTEN}@loop,20)
 same => n,Hangup()
[out-short]
exten => _[a-z][a-z].,1,Dial(PJSIP/${EXTEN}@loop,1)
 same => n,Hangup()
[out-answered-first]
exten => _[a-z][a-z].,1,Answer()
 same => n,Dial(PJSIP/${EXTEN}@loop,20)
 same => n,Hangup()
[out-answered-first-short]
exten => _[a-z][a-z].,1,Answer()
 same => n,Dial(PJSIP/${EXTEN}@loop,1)
 same => n,Hangup()
[out-voicemail]
exten => _[a-z][a-z].,1,Dial(PJSIP/${EXTEN}@loop,1)
 same => n,Answer()
 same => n,Wait(10)
[out-congestion]
exten => _[a-z][a-z].,1,Dial(PJSIP/${EXTEN}@loop,20)
 same => n,Congestion(5)
[out-nested]
exten => _[a-z][a-z].,1,Dial(Local/${EXTEN}@out,20)
 same => n,Hangup()
[out-two]
exten => _[a-z][a-z].,1,Dial(PJSIP/${EXTEN}@loop&PJSIP/answer@loop,20)
 same => n,Hangup()
[out-hunt]
exten => _[a-z][a-z].,1,Dial(PJSIP/congestion@loop,20)
 same => n,Dial(PJSIP/${EXTEN}@loop,20)
 same => n,Hangup()
[out-unknown]
exten => _[a-z][a-z].,1,Dial(PJSIP/${EXTEN}@no-such-endpoint,20)
 same => n,Hangup()
[out-answered-first-unknown]
exten => _[a-z][a-z].,1,Answer()
 same => n,Dial(PJSIP/${EXTEN}@no-such-endpoint,20)
 same => n,Hangup()
[action]
exten => short,1,NoOp(the action)
 same => n,Hangup(16)
exten => h,1,NoOp(the action's end)
"""

RECORDS_USER = """
[records]
secret = secret
read = call,dialplan,system,cdr
write = call,reporting,system
"""

WAIT_S = 3
TALK = "Application: Wait\nData: 1"
TALK_LONG = "Application: Wait\nData: 3"


@dataclass(frozen=True)
class Row:
    """One call and what is to be reported of it. `cause` is (on 22, on 16); `status` the archive's word."""

    channel: str
    expected: Disposition
    cause: tuple[int | None, int | None]
    action: str = TALK
    status: str = "Expired"
    permanent: bool = False
    action_failed: bool = False
    warning: bool = False

    def __str__(self) -> str:
        action = "" if self.action == TALK else ", " + self.action.replace("\n", " ")
        return self.channel + action


D = Disposition
ANSWERED = [
    Row("Local/answer@sim", D.ANSWERED, (0, 0), status="Completed"),
    Row("PJSIP/answer@loop", D.ANSWERED, (0, 0), status="Completed"),
    Row("PJSIP/ring-then-answer-500@loop", D.ANSWERED, (0, 0), status="Completed"),
    Row("Local/answer@out", D.ANSWERED, (0, 0), status="Completed"),
    Row("Local/answer@out-nested", D.ANSWERED, (0, 0), status="Completed"),
    Row("Local/answer@out-answered-first", D.ANSWERED, (0, 0), status="Completed"),
    Row("Local/busy@out-two", D.ANSWERED, (0, 0), status="Completed"),
    Row("Local/answer@out-hunt", D.ANSWERED, (0, 0), status="Completed"),
    Row("Local/busy@out-voicemail", D.ANSWERED, (0, 0), status="Completed"),
    Row("Local/noanswer@out-voicemail", D.ANSWERED, (0, 0), status="Completed"),
]
RUNS = "Context: action\nExtension: short"
NO_EXTENSION = "Context: action\nExtension: nowhere"
NO_APPLICATION = "Application: NoSuchApplication"
AGI_DOWN = "Application: AGI\nData: agi://127.0.0.1:9/none"
ACTIONS = [
    Row(channel, D.ANSWERED, cause, action, "Completed", action_failed=not runs)
    for channel in ("Local/answer@sim", "PJSIP/answer@loop", "Local/answer@out")
    for action, runs, cause in (
        (RUNS, True, (16, 16)),
        ("Application: NoOp", True, (0, 0)),
        ("Application: Playback\nData: beep", True, (0, 0)),
        ("Application: Dial\nData: Local/answer@sim,5,S(1)", True, (None, None)),
        (NO_EXTENSION, False, (0, 0)),
        (NO_APPLICATION, False, (0, 0)),
        (AGI_DOWN, False, (0, 0)),
    )
]
BUSY = [
    Row(channel, D.BUSY, (17, 17))
    for channel in (
        "Local/busy@sim",
        "PJSIP/busy@loop",
        "PJSIP/cause-17@loop",
        "Local/busy@out",
        "Local/busy@out-nested",
        "Local/busy@out-congestion",
        "Local/busy@out-hunt",
    )
] + [Row("Local/busy@out-answered-first", D.BUSY, (17, 17), TALK_LONG, "Completed")]
NOANSWER = [
    Row(channel, D.NOANSWER, (19, 0))
    for channel in (
        "Local/noanswer@sim",
        "Local/silent@sim",
        "PJSIP/noanswer@loop",
        "PJSIP/silent@loop",
        "Local/noanswer@out",
        "Local/silent@out",
    )
] + [
    Row("Local/noanswer@out-short", D.NOANSWER, (16, 16)),
    Row("Local/noanswer@out-answered-first-short", D.NOANSWER, (16, 16), TALK_LONG, "Completed"),
    Row("Local/noanswer@out-answered-first", D.NOANSWER, (0, 0), status="Completed"),
]
CONGESTION = [
    Row("Local/congestion@sim", D.CONGESTION, (34, 34)),
    *(
        Row(f"Local/cause-{cause}@sim", D.CONGESTION, (cause, cause))
        for cause in (34, 38, 41, 42, 44, 47, 58)
    ),
    *(Row(f"PJSIP/cause-{cause}@loop", D.CONGESTION, (cause, cause)) for cause in (34, 38, 58)),
    Row("PJSIP/congestion@loop", D.CONGESTION, (34, 34)),
    Row("Local/congestion@out", D.CONGESTION, (34, 34)),
    Row("Local/congestion@out-answered-first", D.CONGESTION, (34, 34), TALK_LONG, "Completed"),
]
FAILED = [
    *(
        Row(f"Local/cause-{cause}@sim", D.FAILED, (cause, cause), permanent=True)
        for cause in (1, 2, 3, 22, 28)
    ),
    *(Row(f"PJSIP/cause-{cause}@loop", D.FAILED, (cause, cause), permanent=True) for cause in (1, 22, 28)),
    Row("PJSIP/nowhere@loop", D.FAILED, (1, 1), permanent=True),
    Row("Local/nowhere@out", D.FAILED, (1, 1), permanent=True),
    Row("Local/cause-1@out", D.FAILED, (1, 1), permanent=True),
    Row("Local/nowhere@out-answered-first", D.FAILED, (1, 1), TALK_LONG, "Completed", permanent=True),
    Row("Local/cause-21@sim", D.FAILED, (21, 21)),
    Row("PJSIP/cause-21@loop", D.FAILED, (21, 21)),
    Row("Local/cause-21@out", D.FAILED, (21, 21)),
    Row("Local/cause-21@out-answered-first", D.FAILED, (21, 21), TALK_LONG, "Completed"),
    Row("Local/answer@sim", D.FAILED, (None, None), "Application:", "Failed", permanent=True, warning=True),
]
CHANUNAVAIL = [
    Row("Local/nowhere@sim", D.CHANUNAVAIL, (0, 0), warning=True),
    Row("PJSIP/answer@no-such-endpoint", D.CHANUNAVAIL, (None, None), warning=True),
    Row("NoSuchTechnology/1", D.CHANUNAVAIL, (None, None), warning=True),
    Row("Local/answer@out-unknown", D.CHANUNAVAIL, (3, 3), warning=True),
    Row(
        "Local/answer@out-answered-first-unknown", D.CHANUNAVAIL, (3, 3), TALK_LONG, "Completed", warning=True
    ),
]
ROWS = [*ANSWERED, *ACTIONS, *BUSY, *NOANSWER, *CONGESTION, *FAILED, *CHANUNAVAIL]


@dataclass
class Watched:
    """An Asterisk with a line to it, and what came of the calls."""

    asterisk: Asterisk
    user: str = "records"
    traces: dict[str, Trace] = field(default_factory=dict)
    up: bool = False

    def __enter__(self) -> "Watched":
        settings = AmiSettings("127.0.0.1", self.asterisk.ami_port, self.user, Secret("secret"))
        self.ami = Ami(settings, self._hear)
        self.ami.start()
        until(lambda: self.up)
        return self

    def __exit__(self, *error: object) -> None:
        self.ami.stop()

    def _hear(self, signal: object) -> None:
        self.up = self.up or isinstance(signal, AsteriskUp)
        if isinstance(signal, CallSeen):
            self.traces[signal.name] = signal.trace

    def status(self, name: str) -> str | None:
        """The archive's word, once it is there."""
        path = self.asterisk.outgoing_done / name
        lines = path.read_text().splitlines() if path.exists() else []
        return next((line.partition(": ")[2] for line in lines if line.startswith("Status: ")), None)

    def over(self, name: str) -> bool:
        """Whether the file is archived, and AMI showed the call's end if it showed its begin."""
        return self.status(name) is not None and (
            name not in self.traces or self.traces[name].ended is not None
        )

    def judged(self, name: str, **more: bool) -> Result:
        return judge(self.status(name), self.traces.get(name), ami=True, **more)


@dataclass
class Outcomes:
    """What was reported of each row's call."""

    version: int
    results: dict[Row, Result] = field(default_factory=dict)
    blind: dict[Row, Result] = field(default_factory=dict)
    statuses: dict[Row, str | None] = field(default_factory=dict)


def prepared(version: int, **options: str) -> Asterisk:
    instance = Asterisk(version, options)
    instance.configure("extensions.conf", DIALPLAN)
    instance.configure("manager.conf", RECORDS_USER)
    instance.configure("modules.conf", "load=cdr_manager.so\n")
    instance.configure("cdr_manager.conf", "[general]\nenabled = yes\n")
    return instance


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
    with Watched(running(version), user="dialerd") as watched:
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
            full = [place(instance, "Local/answer@sim", f"{TALK}0") for _ in range(2)]
            until(lambda: all(name in watched.traces and watched.traces[name].answered for name in full))
            begun = time.monotonic()
            name = place(instance, channel, TALK)
            until(lambda: watched.over(name))
            result = watched.judged(name, at_limit=True)
    finally:
        instance.remove()

    assert time.monotonic() - begun < 10
    assert result.disposition is D.CONGESTION
    assert not result.permanent
