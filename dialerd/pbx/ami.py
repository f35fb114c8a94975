"""AMI: the line to a running Asterisk. It tells the engine what becomes of calls, and hangs calls up.

pyst2's Manager gives the actions (login, ping, hangup, ..), which all go through send_action; the reader, the
matching of answers, time limits and the building of headers are ours (docs/adr/0002-ami-client.md says why).
"""

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from asterisk.manager import Manager, ManagerAuthException

from dialerd.core.errors import Rejected, Unavailable
from dialerd.core.signals import AsteriskDown, AsteriskLoad, AsteriskUp, CallSeen
from dialerd.log import get_logger
from dialerd.pbx import channels, trace
from dialerd.pbx.channels import Census, OnTrunks
from dialerd.pbx.connection import ANSWER_S, Connection
from dialerd.pbx.trace import Tracer
from dialerd.pbx.wire import Answer, Headers, LineLost

log = get_logger(__name__)

TICK_S = 0.1
STEADY_S = 5.0
"""A connection that held this long makes the next pause short again."""

EVENT_CLASSES = "system,call,dialplan,cdr"
PROBE = "DIALERD_PROBE"
"""A global variable, always empty, set once a session: its VarSet shows that we are sent the events we
need."""

GOING_DOWN = AsteriskDown("Asterisk is going down")

_NEEDED = "read = call,dialplan,system and write = call,reporting,system (and, better, read = cdr too)"
_EVENTS = frozenset(name.encode() for name in (*trace.EVENTS, *channels.EVENTS, "Shutdown"))
_VARIABLES = tuple(f"\r\nVariable: {name}\r\n".encode() for name in (*trace.VARIABLES, PROBE))
_EOL = "[[:cntrl:]]"
FILTERS = (
    f"^Event: (Dial(Begin|State|End)|Hangup|LocalBridge|FullyBooted|Shutdown){_EOL}",
    f"^Event: VarSet{_EOL}.*{_EOL}"
    f"Variable: ({trace.ATTEMPT_VARIABLE}|{trace.OPT_OUT_VARIABLE}|{PROBE}|AGISTATUS){_EOL}",
    f"^Event: VarSet{_EOL}.*{_EOL}Variable: DIALSTATUS{_EOL}+Value: CHANUNAVAIL{_EOL}",
    f"^Event: (Newexten|Cdr){_EOL}.*{_EOL}Channel: [^;[:cntrl:]]*(;1)?{_EOL}",
)
"""Which events this session is sent (Filter, Operation: Add). POSIX extended, over the whole event; 16
and 22."""

Report: TypeAlias = Callable[[AsteriskUp | AsteriskDown | AsteriskLoad | CallSeen], None]


class Secret:
    """A text that no repr, log or traceback shows."""

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself."""
        return self._text

    def __repr__(self) -> str:
        return "Secret('***')"


@dataclass(frozen=True, slots=True)
class AmiSettings:
    """Where Asterisk's manager listens and who we are there."""

    host: str
    port: int
    username: str
    secret: Secret

    def __str__(self) -> str:
        return f"{self.username}@{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Pace:
    """Times of the line, in seconds. Between two tries to connect it pauses `first_pause` to
    `longest_pause`, doubled each time; Asterisk may be silent for `answer` while an answer is due; after
    `quiet` it is asked whether it is there; where it has a call limit its calls are counted each `load`; who
    is on its trunks is asked each `channels`; somebody else's is a call that was without our mark for
    `settled`."""

    first_pause: float = 0.2
    longest_pause: float = 5.0
    answer: float = ANSWER_S
    quiet: float = 5.0
    load: float = 1.0
    channels: float = 2.0
    settled: float = 1.5


class AmiState(NamedTuple):
    """How the line is: `word` is connecting, up, refused or down; `sentence` is for people."""

    word: str
    sentence: str


class Session(Connection, Manager):  # type: ignore[misc]
    """One session: pyst2's actions over our connection.

    Manager.__init__ is not called: it makes threads and queues that have no use here.
    """

    def __del__(self) -> None:
        """Manager's would log off; an object that is thrown away does not talk."""


class Ami:
    """Keeps a session up for ever, in a thread of its own, and reports what it shows."""

    def __init__(
        self,
        settings: AmiSettings,
        report: Report,
        pace: Pace | None = None,
        watched: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        """`report` and `watched` are called in the line's own thread. `watched` gives the trunks on which it
        counts who else is there, by the pattern of their channels (core/channels.py); it may change."""
        self._settings, self._report, self._pace = settings, report, pace or Pace()
        self._tracer = Tracer()
        self._census = Census(watched, self._pace.channels, self._pace.settled)
        self._stopping = threading.Event()
        self._session: Session | None = None
        self._told: AsteriskDown | None = None
        self._run: str | None = None
        self._max_calls: int | None = None
        self._probed = self._going_down = False
        self._state = AmiState("connecting", f"Connecting to Asterisk's manager as {settings}.")
        self._thread = threading.Thread(target=self._loop, name="ami", daemon=True)

    @property
    def state(self) -> AmiState:
        """How the line is now."""
        return self._state

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Ends the thread and the connection."""
        self._stopping.set()
        session = self._session
        if session is not None:
            session.give_up()
        if self._thread.is_alive():
            self._thread.join(self._pace.answer + 1)

    def hangup(self, channel: str) -> None:
        """Hangs a channel up. Raises Unavailable where Asterisk was not told, Rejected where it refused."""
        if not channel or channel.startswith("/"):  # Asterisk takes /../ as a pattern over all channels
            raise Rejected(f"{channel!r} is not the name of a channel.")
        session = self._session
        if session is None or self._state.word != "up":
            raise Unavailable(f"The call can't be hung up now. {self._state.sentence}")
        try:
            answer = session.hangup(channel)
        except ValueError as error:
            raise Rejected(f"{error}.") from None
        except (LineLost, OSError) as error:
            raise Unavailable(f"Asterisk could not be asked to hang {channel} up: {_words(error)}.") from None
        if answer.refusal is not None:
            raise Rejected(f"Asterisk did not hang {channel} up: {answer.refusal}.")

    def _loop(self) -> None:
        pause = self._pace.first_pause
        while not self._stopping.is_set():
            begun = time.monotonic()
            down = self._attend()
            if down is None:
                return
            if time.monotonic() - begun > STEADY_S:
                pause = self._pace.first_pause
            self._tell_down(down)
            self._stopping.wait(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 2, self._pace.longest_pause)

    def _attend(self) -> AsteriskDown | None:
        """One session from its beginning to its end; returns why it ended, or None when we are stopping."""
        session = Session(_wanted, self._take, self._pace.answer)
        self._session, self._probed, self._going_down = session, False, False
        self._census.reset()
        try:
            session.connect(self._settings.host, self._settings.port)
            self._introduce(session)
            self._watch(session)
        except _Refused as error:
            return AsteriskDown(str(error), refused=True)
        except (LineLost, OSError) as error:
            if not self._stopping.is_set():
                return GOING_DOWN if self._going_down else AsteriskDown(self._unreachable(error))
        except Exception as error:  # the thread's outermost frame: a bug must not end the line for good
            log.exception("ami_failed")
            return AsteriskDown(f"dialerd failed over a message of Asterisk's manager ({error!r})")
        finally:
            self._session = None
            session.close()
            self._tracer.gap()
        return None

    def _introduce(self, session: Session) -> None:
        """Logs in, has only the needed events sent, and tells that Asterisk is up."""
        try:
            session.login(self._settings.username, self._settings.secret.reveal())
        except (ManagerAuthException, ValueError) as error:
            raise _Refused(
                f"Asterisk's manager refused the login {self._settings}: {_words(error)}"
            ) from None
        session.send_action(Action="Events", EventMask=EVENT_CLASSES)
        refusals = {
            session.send_action(Action="Filter", Operation="Add", Filter=text).refusal for text in FILTERS
        }
        if refusals != {None}:
            log.warning("ami_filter_refused", why=refusals)
        settings = self._ask(session, Action="CoreSettings")
        status = self._ask(session, Action="CoreStatus")
        self._ask(session, Action="Setvar", Variable=PROBE, Value="")
        self._await_probe(session)
        self._await_census(session)
        self._tell_up(settings, status)

    def _ask(self, session: Session, **fields: str) -> Answer:
        answer = session.send_action(fields)
        if answer.refusal is not None:
            user = self._settings.username
            why = f"{answer.refusal}. Give the user {user} {_NEEDED} in manager.conf"
            raise _Refused(f"Asterisk's manager refused {fields['Action']}: {why}")
        return answer

    def _await_probe(self, session: Session) -> None:
        deadline = time.monotonic() + self._pace.answer
        while not self._probed:
            left = deadline - time.monotonic()
            if left <= 0:
                user = self._settings.username
                raise _Refused(
                    f"Asterisk's manager does not show dialplan events to {user}. Give it {_NEEDED}"
                )
            session.pump(left)

    def _await_census(self, session: Session) -> None:
        """No call begins before it is known who else is on its trunk, if Asterisk says so in time."""
        deadline = time.monotonic() + self._pace.answer
        self._tell_channels(self._census.look(session, time.monotonic()))
        while self._census.running and (left := deadline - time.monotonic()) > 0:
            session.pump(left)

    def _watch(self, session: Session) -> None:
        """Reads until the line breaks or we stop."""
        load_due = time.monotonic() + self._pace.load
        while not self._stopping.is_set():
            session.pump(TICK_S)
            for name, seen in self._tracer.tick(time.time()):
                self._report(CallSeen(name, seen))
            now = time.monotonic()
            if self._max_calls and now >= load_due:
                load_due = now + self._pace.load
                self._report(AsteriskLoad(_calls(self._ask(session, Action="CoreStatus"))))
            elif now - session.heard >= self._pace.quiet:
                session.ping()
            self._tell_channels(self._census.look(session, now))

    def _take(self, headers: Headers) -> None:
        if headers.get("Variable") == PROBE:
            self._probed = True
        elif headers["Event"] in channels.EVENTS:
            self._tell_channels(self._census.take(headers, time.monotonic()))
        elif headers["Event"] == "Shutdown":  # the ends of its calls may still come
            self._going_down = True
            self._tell_down(GOING_DOWN)
        else:
            seen = self._tracer.feed(headers, time.time())
            if seen is not None:
                self._report(CallSeen(*seen))

    def _tell_up(self, settings: Answer, status: Answer) -> None:
        run = f"{status.get_header('CoreStartupDate')} {status.get_header('CoreStartupTime')}"
        if self._run not in (None, run):
            self._tracer.clear()
        version = settings.get_header("AsteriskVersion") or ""
        self._run, self._told = run, None
        self._max_calls = _number(settings.get_header("CoreMaxCalls")) or None
        self._state = AmiState("up", f"Connected to Asterisk {version}, up since {run}.")
        self._report(AsteriskUp(run, version, self._max_calls, _calls(status)))

    def _tell_channels(self, on_trunks: OnTrunks | None) -> None:
        if on_trunks is not None:
            self._report(AsteriskLoad(on_trunks=on_trunks))

    def _tell_down(self, down: AsteriskDown) -> None:
        self._state = AmiState("refused" if down.refused else "down", f"{down.reason}.")
        if down != self._told:
            self._told = down
            self._report(down)

    def _unreachable(self, error: BaseException) -> str:
        where = f"{self._settings.host}:{self._settings.port}"
        if isinstance(error, ConnectionRefusedError):
            return f"nothing listens at {where}: is Asterisk running, and enabled = yes in manager.conf?"
        return f"no line to Asterisk's manager at {where}: {_words(error)}"


def _wanted(name: bytes, message: bytes) -> bool:
    """Whether an event is of use; without the filters most are not."""
    return name in _EVENTS and (name != b"VarSet" or any(mark in message for mark in _VARIABLES))


class _Refused(Exception):
    """Asterisk answers, but does not let us in."""


def _calls(status: Answer) -> int:
    return _number(status.get_header("CoreCurrentCalls")) or 0


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None


def _words(error: BaseException) -> str:
    """What went wrong, without brackets and numbers."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    if isinstance(error, TimeoutError):
        return "it does not answer; it may be frozen"
    return str(error.args[-1]) if error.args else type(error).__name__
