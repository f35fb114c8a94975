"""The parts of the engine, built in the order in which they need each other."""

from collections.abc import Callable
from random import random

from dialerd.engine.accept import Line
from dialerd.engine.asterisk import Asterisk
from dialerd.engine.conclude import Closer
from dialerd.engine.dispatch import Dispatcher
from dialerd.engine.flights import Flights
from dialerd.engine.following import Follower
from dialerd.engine.gate import Gate
from dialerd.engine.inbox import Inbox
from dialerd.engine.ledger import Ledger
from dialerd.engine.operate import Operator
from dialerd.engine.orders import Orders
from dialerd.engine.pick import Picker
from dialerd.engine.ports import CallFiles, Clock, Dial, EngineSettings, Policy, Providers, Render
from dialerd.engine.recalling import Canceller
from dialerd.engine.receiving import Receiver
from dialerd.engine.recover import Recovery
from dialerd.engine.retention import Retention, RetentionSettings
from dialerd.engine.sending import Sender
from dialerd.engine.sessions import Sessions
from dialerd.engine.settle import Judge, Settler
from dialerd.engine.spending import Spending
from dialerd.engine.stuck import Limits, Watch
from dialerd.engine.sweep import Sweeper
from dialerd.engine.trunks import Trunks
from dialerd.engine.worker import Worker
from dialerd.store.base import Store

LONGEST_RING_S = 900
"""More than a call may ring (600 s), and some time for its result."""


class Parts:
    """What the engine's thread works with. Other threads only read what is said to be safe."""

    def __init__(
        self,
        store: Store,
        files: CallFiles,
        clock: Clock,
        worker: Worker,
        hang_up: Callable[[str, str], None] | None,
        dial: Dial,
        render: Render,
        judge: Judge,
        settings: EngineSettings,
        policy: Policy,
        providers: Providers,
    ) -> None:
        self.store, self.files, self.clock, self.settings = store, files, clock, settings
        self.inbox, self.flights = Inbox(), Flights()
        self.asterisk = Asterisk(ami=settings.ami)
        self.ledger = ledger = Ledger(store, clock)
        self.trunks, self.line = Trunks(), Line(store)
        self.trunks.configure(policy.rules.lines(), clock.mono())
        self.gate = Gate(policy.rules, Spending(store, policy.budget, policy.rates))
        self.orders = Orders(ledger, self.trunks, self.line)
        closer = Closer(ledger, self.gate, self.orders, random, policy.opt_out)
        seen = (ledger, self.flights, self.asterisk)
        self.settler = Settler(*seen, files, hang_up, judge, settings, closer, self.trunks)
        self.sweeper = Sweeper(*seen, self.settler, files, judge, settings)
        self.follower = Follower(ledger, closer, providers, self.inbox)
        self.sender = Sender(
            ledger, closer, self.gate, self.trunks, providers, self.inbox, settings, self.follower
        )
        self.sessions = Sessions(ledger, closer, providers, self.inbox)
        self.sessions.answers = policy.answers
        self.receiver = Receiver(ledger, self.sessions)
        self.canceller = Canceller(ledger, self.follower, providers, self.inbox)
        picker = Picker(ledger, self.flights, self.trunks, self.gate, self.orders, self.line, self.sender)
        self.dispatcher = Dispatcher(
            *seen, self.settler, files, worker, self.inbox, dial, render, settings, picker
        )
        self.recovery = Recovery(
            ledger, self.flights, self.dispatcher, self.settler, self.sweeper, files, self.reset
        )
        self.operator = Operator(ledger, self.flights, self.settler, files, self.canceller)
        self._keep_house(ledger)

    def _keep_house(self, ledger: Ledger) -> None:
        settings = self.settings
        self.oldest_needed: Callable[[], int | None] = lambda: None
        kept = RetentionSettings(settings.keep_s, settings.redact_after_s)
        self.retention = Retention(self.store, kept, lambda: self.oldest_needed())
        longest = settings.longest_call_s + LONGEST_RING_S
        self.limits = Limits(settings.held_limit_s, settings.due_limit_s, submitted=longest)
        self.watch = Watch(ledger, self.store, self.limits)

    def reset(self) -> None:
        """Forgets what is only in memory: it is read from the store again."""
        self.gate.spending.reset()
        self.line.reset()
        self.orders.load()
        self.follower.reset()
        self.sender.recover()
