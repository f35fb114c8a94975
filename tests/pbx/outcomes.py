"""The table of outcomes: the calls, what is to be reported of each, and an Asterisk that is watched as they
are made."""

from dataclasses import dataclass, field

from dialerd.core.disposition import judge
from dialerd.core.model import Disposition, Result, Trace
from dialerd.core.signals import AsteriskUp, CallSeen
from dialerd.pbx.ami import Ami, AmiSettings, Secret
from tests.asterisk import Asterisk
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

NO_RECORDS_USER = """
[norecords]
secret = secret
read = call,dialplan,system
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
    user: str = "dialerd"
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
    instance.configure("manager.conf", NO_RECORDS_USER)
    return instance
