"""The engine's thread: takes messages, changes job state, commits, and only then lets anybody know.

One turn is one transaction: whatever came together shares one sync to disk (group commit). Answers, events,
hand-overs and the removal of evidence are collected on the way and done after the commit, in order.
"""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, get_args

from dialerd.core.errors import DeliveryError, DialerError, NoSuchJob, NotAllowed, Overloaded
from dialerd.core.receipts import Message, Notice, Receipt
from dialerd.core.signals import (
    AccountBlocked,
    AsteriskTold,
    CallSeen,
    ProviderAnswered,
    ProviderAsked,
    SpoolStirred,
)
from dialerd.engine.accept import accept
from dialerd.engine.clock import SystemClock
from dialerd.engine.inbox import (
    Command,
    Finish,
    GiveOrder,
    HandedOver,
    HangupFailed,
    Recalled,
    Reconfigure,
    Staged,
    StepAnswered,
    Stop,
    Submit,
    Tell,
)
from dialerd.engine.parts import Parts
from dialerd.engine.pick import CAP
from dialerd.engine.ports import (
    CallFiles,
    Clock,
    Dial,
    EngineSettings,
    HangUps,
    NoProviders,
    Policy,
    Providers,
    Render,
)
from dialerd.engine.retention import Tidy
from dialerd.engine.settle import Judge
from dialerd.engine.worker import Worker
from dialerd.log import get_logger
from dialerd.store.base import Store

log = get_logger(__name__)

TICK_S = 0.25
IDLE_TICK_S = 1.0
BROKEN_PAUSE_S = 1.0
BROKEN_RETRY_S = 5


class Engine(Parts):
    """Owns all job state. Everything else talks to it through post(), and through desk.py's Desk."""

    def __init__(
        self,
        store: Store,
        files: CallFiles,
        hangups: HangUps | None,
        dial: Dial,
        render: Render,
        judge: Judge,
        settings: EngineSettings,
        policy: Policy,
        failed: Callable[[BaseException], None],
        clock: Clock | None = None,
        worker: Worker | None = None,
        providers: Providers | None = None,
    ) -> None:
        self._failed, self._hangups = failed, hangups
        self._worker = worker or Worker("spool", failed)
        self._caller = Worker("hangup", failed)
        self.broken = ""
        self._dirty = False
        super().__init__(
            store,
            files,
            clock or SystemClock(),
            self._worker,
            self._hang_up if hangups is not None else None,
            dial,
            render,
            judge,
            settings,
            policy,
            providers or NoProviders(),
        )
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
        self._recovered = threading.Event()
        self._stopping = False
        self._next_tick = self._next_sweep = 0.0
        self._last_turn = self.clock.mono()
        self.on_commit: Callable[[int], None] = lambda newest: None
        self._handlers = self._table()

    def _table(self) -> dict[type, Callable[[Any], None]]:
        """What is done with each kind of message."""
        return {
            Submit: self._submit,
            Command: self._command,
            Staged: self.dispatcher.staged,
            HandedOver: self.dispatcher.handed_over,
            CallSeen: self.settler.seen,
            SpoolStirred: lambda message: self.sweeper.stirred(message.names),
            **dict.fromkeys(get_args(AsteriskTold), self.sweeper.asterisk_told),
            HangupFailed: self._hangup_failed,
            GiveOrder: self._give_order,
            Reconfigure: self._reconfigure,
            Tidy: self._tidy,
            ProviderAnswered: self.sender.answered,
            ProviderAsked: self.follower.asked,
            Tell: self._tell,
            Recalled: self.canceller.recalled,
            StepAnswered: self.sessions.step_answered,
            AccountBlocked: lambda message: self.store.save_block(message.provider, message.until),
            Finish: self._finish,
            Stop: self._stop,
        }

    def start(self) -> None:
        """Recovers, then begins to work. Returns when recovery is done."""
        self._worker.start()
        self._caller.start()
        self._thread.start()
        self._recovered.wait()

    def stop(self, timeout: float = 10.0) -> None:
        """Ends the thread: what is on its way into the spool gets there first, the rest waits for the next
        start."""
        self.inbox.put(Stop())
        self._thread.join(timeout)
        self._worker.stop(timeout)
        self._caller.stop(timeout)

    def post(self, message: Any) -> None:
        """Puts a message into the inbox; never waits."""
        self.inbox.put(message)

    def recover(self) -> None:
        """Begins from what is on disk: table and spool."""
        self._commit([], self.recovery.recover)
        self._last_turn = self.clock.mono()

    def turn(self, messages: Sequence[Any]) -> None:
        """One round of the engine: handle these messages and what time brings, commit, let everybody know."""
        if self._dirty:
            self._begin_anew()
        if self._dirty:
            self._refuse(messages)
        else:
            self._commit(messages, partial(self._work, messages))
        self._last_turn = self.clock.mono()

    def spool_waits(self) -> float:
        """For how many seconds the disk has been answering the spool's thread by now."""
        return self._worker.busy_seconds()

    def turned_within(self, seconds: float) -> bool:
        """Whether the engine's thread made a turn in so many seconds, commit and all: a sign of life.

        A turn that the disk refuses counts, since a restart would not free the disk; one that hangs does not.
        """
        return self.clock.mono() - self._last_turn <= seconds

    def _run(self) -> None:
        try:
            self.recover()
            self._recovered.set()
            while not self._stopping:
                self.turn(self.inbox.take(self._patience()))
        except Exception as error:  # the outermost frame: a bug of ours, and what was under way is in doubt
            log.exception("engine_failed")
            self._failed(error)
        finally:
            self._recovered.set()

    def _work(self, messages: Sequence[Any]) -> None:
        for message in messages:
            self._handlers[type(message)](message)
        mono = self.clock.mono()
        if mono >= self._next_tick:
            self._next_tick = mono + TICK_S
            self.sweeper.tick()
            self.follower.tick()
            self.watch.look()
            if not messages:
                self.retention.step(self.clock.now(), mono)
        if mono >= self._next_sweep:
            self._next_sweep = mono + self.settings.sweep_s
            self.sweeper.sweep()
        self.orders.carry_on()
        if not self._stopping:
            self.dispatcher.dispatch()

    def _commit(self, messages: Sequence[Any], work: Callable[[], None]) -> None:
        """One transaction, then what follows from it."""
        self.ledger.later.clear()
        before = self.ledger.newest_event
        try:
            with self.store.transaction():
                work()
        except DialerError as error:
            self._break(error)
            self._refuse(messages)
            return
        self.broken = ""
        self._follow_up()
        if self.ledger.newest_event != before:
            self.on_commit(self.ledger.newest_event)

    def _break(self, error: DialerError) -> None:
        """Nothing of this turn was done, and what is in memory may be wrong: begin anew from what is on
        disk."""
        if not self.broken:
            log.error("turn_failed", why=str(error))
        self.broken, self._dirty = str(error), True

    def _refuse(self, messages: Sequence[Any]) -> None:
        """Answers whoever waits that nothing was done, keeps what is not said twice, and rests."""
        for message in messages:
            if isinstance(message, Submit | Command | GiveOrder | Reconfigure | Tidy | Tell):
                if message.answer.set_running_or_notify_cancel():
                    message.answer.set_exception(Overloaded(self.broken, BROKEN_RETRY_S))
            elif isinstance(message, Stop):
                self._stopping = True
            elif isinstance(message, ProviderAnswered | Recalled | StepAnswered):
                self.inbox.put(message)
            elif isinstance(message, AsteriskTold):
                self.asterisk.tell(message, len(self.flights))
        if not self._stopping:
            self.clock.rest(BROKEN_PAUSE_S)

    def _begin_anew(self) -> None:
        """As after a restart, once the spool's thread has nothing under way."""
        self._worker.flush()
        self._dirty = False
        self._commit([], self.recovery.recover)

    def _follow_up(self) -> None:
        """What was to be done after the commit. What the spool refuses here is made good by a later sweep."""
        for act in self.ledger.later:
            try:
                act()
            except DialerError as error:
                self.dispatcher.trouble = str(error)
                log.error("spool_broken", why=str(error))

    def _patience(self) -> float:
        """How long to wait for messages: not past the next tick, the next job that falls due, and the next
        moment at which a trunk takes a call."""
        if self.dispatcher.busy or self.orders.busy:
            return 0.0
        mono = self.clock.mono()
        following = self.dispatcher.next_time
        pace = IDLE_TICK_S if following is None else max(following - mono, 0.0)
        if not len(self.flights):
            due = self.store.next_due()
            ahead = IDLE_TICK_S if due is None else (due - self.clock.now()).total_seconds()
            return min(max(ahead, 0.005), pace, IDLE_TICK_S)
        return max(0.0, min(self._next_tick - mono, pace, TICK_S))

    def _give_order(self, message: GiveOrder) -> None:
        try:
            self.orders.give(message.scope, message.word, message.actor, message.reason)
        except NotAllowed as error:
            self.ledger.later.append(partial(message.answer.set_exception, error))
            return
        if message.word == "cancelled":
            self.operator.cancel_under_way(message.scope, message.actor)
        self.ledger.later.append(lambda: _resolve(message.answer, None))

    def _tidy(self, message: Tidy) -> None:
        tidied = self.retention.asked(message, self.clock.now())
        self.ledger.later.append(lambda: _resolve(message.answer, tidied))

    def _reconfigure(self, message: Reconfigure) -> None:
        policy, spending = message.policy, self.gate.spending
        self.gate.rules, spending.budget, spending.rates = policy.rules, policy.budget, policy.rates
        self.settler.closer.opt_out, self.sessions.answers = policy.opt_out, policy.answers
        self.trunks.configure(policy.rules.lines(), self.clock.mono())
        self.orders.load()
        self.store.wake(CAP, self.clock.now())
        self.ledger.later.append(lambda: _resolve(message.answer, None))

    def _submit(self, message: Submit) -> None:
        answers = [accept(self.ledger, self.line, submission) for submission in message.submissions]
        self.ledger.later.append(lambda: _resolve(message.answer, answers))

    def _command(self, message: Command) -> None:
        try:
            job = self.operator.command(message)
        except (NoSuchJob, NotAllowed) as error:
            self.ledger.later.append(partial(message.answer.set_exception, error))
            return
        self.ledger.later.append(lambda: _resolve(message.answer, job))

    def _hang_up(self, name: str, channel: str) -> None:
        hangups = self._hangups
        if hangups is None:
            return

        def ask() -> None:
            try:
                hangups.hangup(channel)
            except DeliveryError as error:
                self.inbox.put(HangupFailed(name, str(error)))

        self._caller.run(ask)

    def _hangup_failed(self, message: HangupFailed) -> None:
        flight = self.flights.named(message.name)
        if flight is not None:
            log.warning("hangup_failed", job=flight.job.id, why=message.why)

    def _tell(self, message: Tell) -> None:
        provider, told = message.told.provider, message.told.told
        match told:
            case Receipt():
                self.follower.told(provider, told, message.told.surely)
            case Message():
                self.receiver.receive(provider, told)
            case Notice():
                self.sessions.noticed(provider, told)
        self.ledger.later.append(lambda: _resolve(message.answer, None))

    def _finish(self, message: Finish) -> None:
        self.sender.closed = True

    def _stop(self, message: Stop) -> None:
        self._stopping = True


def _resolve(answer: "Future[Any]", value: Any) -> None:
    if answer.set_running_or_notify_cancel():
        answer.set_result(value)
