"""What the engine knows of Asterisk as a whole: whether it is there, how full it is, how fast it starts
calls."""

from dataclasses import dataclass

from dialerd.core.signals import AsteriskDown, AsteriskLoad, AsteriskTold, AsteriskUp, UnitSeen

CALLS_EACH = 2
"""What one call takes of Asterisk's call limit at most. maxcalls counts running dialplans, of which a call
through a Local channel has one, or two where its action is a dialplan too; CoreCurrentCalls counts channels,
of which it has two (seen on 16 and 22)."""

WINDOW_S = 2.0
WINDOW_MIN = 100
WINDOW_MAX = 4000
"""Bounds of the window of unstarted files. inotify drops events above 16,384; a burst never comes near
that."""


@dataclass(slots=True)
class Asterisk:
    """Told by signals; read by dispatch. With no AMI configured it counts as there, unless systemd says that
    its unit (`unit`, where one is watched) does not run."""

    ami: bool
    known: bool = False
    up: bool = False
    refused: bool = False
    run: str | None = None
    version: str = ""
    max_calls: int | None = None
    calls: int = 0
    sessions: int = 0
    others: int = 0
    reason: str = "AMI has not answered yet"
    stalled: bool = False
    unit: UnitSeen | None = None
    starts_per_second: float = 0.0
    _counting_since: float = 0.0
    _counted: int = 0

    def tell(self, signal: AsteriskTold, in_flight: int) -> None:
        """Takes in a signal of AMI or of systemd; `in_flight` is how many attempts are ours."""
        match signal:
            case AsteriskUp():
                self.known, self.up, self.refused, self.reason = True, True, False, ""
                self.run, self.version = signal.run, signal.version
                self.max_calls, self.calls = signal.max_calls, signal.calls
                self.sessions += 1
            case AsteriskDown():
                self.known, self.up, self.refused, self.reason = True, False, signal.refused, signal.reason
                if signal.refused:  # calls go on, in a run of Asterisk that we are not told of
                    self.run = None
            case AsteriskLoad():
                self.calls = self.calls if signal.calls is None else signal.calls
            case UnitSeen():
                self.unit = signal
                if not self.ami:
                    self.run = self.run if signal.down else signal.run
        self.others = max(0, self.calls - CALLS_EACH * in_flight)

    @property
    def takes_calls(self) -> bool:
        """Whether call files may be handed over: AMI is up, or won't let us in; where there is none, as long
        as Asterisk's unit is not known to be down. What AMI says wins: Asterisk may run without its unit."""
        return self.known and (self.up or self.refused) if self.ami else not self._unit_down

    @property
    def _unit_down(self) -> bool:
        return self.unit is not None and self.unit.down

    def silence(self) -> str:
        """Why Asterisk takes no calls; "" where it does, as far as we know."""
        if self.unit is not None and self.unit.down and not self.up:
            return f"{self.unit.unit} is {self.unit.state}"
        return self.reason if self.ami else ""

    def problems(self) -> list[str]:
        """What somebody should look at."""
        found = [f"AMI: {_sentence(self.reason)}"] if self.ami and not self.up else []
        if self.unit is not None and self.unit.down and not (self.ami and (self.up or self.refused)):
            found.append(f"{self.silence()}: calls wait until it runs (systemctl start {self.unit.unit}).")
        if self.unit is not None and self.unit.problem:
            found.append(self.unit.problem)
        return found

    def room(self, in_flight: int, dialplans: int) -> int | None:
        """How many more calls fit below Asterisk's call limit; None for no known limit. `dialplans` is what
        those under way take of it; the next ones are taken to be like them."""
        if not self.up or not self.max_calls:
            return None
        each = -(-dialplans // in_flight) if in_flight else CALLS_EACH
        return max(0, self.max_calls - self.others - dialplans) // each

    def near_limit(self) -> bool:
        """Whether a call that left no trace may have met the call limit."""
        return self.up and bool(self.max_calls) and self.calls + CALLS_EACH >= (self.max_calls or 0)

    def count_start(self, mono: float) -> None:
        """Notes that Asterisk began a call."""
        self.stalled = False
        self._counted += 1
        passed = mono - self._counting_since
        if passed >= 0.5:
            rate = self._counted / passed
            self.starts_per_second = max(rate, self.starts_per_second / 2)
            self._counting_since, self._counted = mono, 0

    def window(self) -> int:
        """How many unstarted files may lie in `outgoing`: about two seconds of work; one where nothing
        moves."""
        if self.stalled:
            return 1
        return int(min(max(WINDOW_MIN, WINDOW_S * self.starts_per_second), WINDOW_MAX))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?")) else f"{text}."
