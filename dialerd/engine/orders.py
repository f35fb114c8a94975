"""Standing orders: what is paused, by an operator or a fuse, and which batches are being cancelled. They
outlive a restart."""

from datetime import datetime

from dialerd.core.errors import NotAllowed
from dialerd.core.model import Job
from dialerd.core.signals import Order
from dialerd.core.states import Step
from dialerd.engine.accept import Line
from dialerd.engine.ledger import Ledger
from dialerd.engine.trunks import Trunks
from dialerd.log import get_logger

log = get_logger(__name__)

RESUMED = "resumed"
"""The word that the store keeps for a batch until all its jobs are unparked. No order."""

CHUNK = 2000
CANCEL_CHUNK = 200
"""Jobs that are parked, or cancelled, in one turn."""

FUSE_OWNER = -1
"""The uid in orders that no person gave."""


class Orders:
    """Scopes are "all", "trunk:NAME" and "batch:OWNER:NAME"; words "paused" and "cancelled"."""

    def __init__(self, ledger: Ledger, trunks: Trunks, line: Line) -> None:
        self.ledger, self.trunks, self.line = ledger, trunks, line
        self._orders: dict[str, Order] = {}
        self._parking: dict[str, tuple[int, str]] = {}
        self._unparking: dict[str, tuple[int, str]] = {}

    def load(self) -> None:
        """Takes up what the store has."""
        kept = {order.scope: order for order in self.ledger.store.orders()}
        self._orders = {scope: order for scope, order in kept.items() if order.word != RESUMED}
        batches = {scope: batch for scope in kept if (batch := batch_of(scope)) is not None}
        self._parking = {scope: batch for scope, batch in batches.items() if scope in self._orders}
        self._unparking = {scope: batch for scope, batch in batches.items() if scope not in self._orders}
        self._apply()

    def give(self, scope: str, word: str | None, actor: int, reason: str) -> None:
        """Gives an order, or ends it. Raises NotAllowed for what does not exist."""
        self._check(scope, word)
        if word is None:
            self._end(scope)
        else:
            self._begin(Order(scope, word, actor, self.ledger.clock.now(), reason))

    def all(self) -> list[Order]:
        """The orders that stand."""
        return list(self._orders.values())

    def by_fuse(self, trunk: str) -> bool:
        """Whether it was its fuse that paused a trunk. Safe from any thread."""
        order = self._orders.get(f"trunk:{trunk}")
        return order is not None and order.owner == FUSE_OWNER

    def of_batch(self, job: Job) -> Order | None:
        """The order about a job's batch, None where there is none."""
        return self._orders.get(f"batch:{job.owner}:{job.batch}") if job.batch else None

    def blow_fuse(self, trunk: str, why: str) -> None:
        """A trunk spends too fast: it is paused until a person resumes it."""
        self._begin(Order(f"trunk:{trunk}", "paused", FUSE_OWNER, self.ledger.clock.now(), why))
        self.ledger.later.append(lambda: log.error("fuse_blown", trunk=trunk, why=why))

    def carry_on(self) -> None:
        """One step of what takes many: parks and unparks, and cancels."""
        store = self.ledger.store
        for scope, (owner, batch) in list(self._parking.items()):
            order = self._orders.get(scope)
            if order is not None and order.word == "cancelled":
                self._cancel_some(scope, owner, batch)
            elif store.park_batch(owner, batch, CHUNK) < CHUNK:
                del self._parking[scope]
        for scope, (owner, batch) in list(self._unparking.items()):
            if store.unpark_batch(owner, batch, CHUNK, self.line.renewed) < CHUNK:
                del self._unparking[scope]
                store.remove_order(scope)

    @property
    def busy(self) -> bool:
        """Whether there is more to do at once."""
        return bool(self._parking or self._unparking)

    def _cancel_some(self, scope: str, owner: int, batch: str) -> None:
        jobs = self.ledger.store.waiting_of_batch(owner, batch, CANCEL_CHUNK)
        for job in jobs:
            self.ledger.move(job, Step.CANCEL, "its batch was cancelled")
        if not jobs:
            self._end(scope)

    def _begin(self, order: Order) -> None:
        self._orders[order.scope] = order
        self.ledger.store.save_order(order)
        batch = batch_of(order.scope)
        if batch is not None:
            self._unparking.pop(order.scope, None)
            self._parking[order.scope] = batch
        self._apply()
        self._say("order_given", order.scope, word=order.word, by=order.owner, reason=order.reason)

    def _end(self, scope: str) -> None:
        self._orders.pop(scope, None)
        batch = batch_of(scope)
        if batch is not None:
            self._parking.pop(scope, None)
            self._unparking[scope] = batch
            self.ledger.store.save_order(Order(scope, RESUMED, FUSE_OWNER, self.ledger.clock.now(), ""))
        else:
            self.ledger.store.remove_order(scope)
        name = scope.removeprefix("trunk:")
        if scope.startswith("trunk:") and (line := self.trunks.line(name)) is not None:
            line.breaker.reset()
        self._apply()
        self._say("order_ended", scope)

    def _say(self, event: str, scope: str, **facts: object) -> None:
        self.ledger.later.append(lambda: log.info(event, scope=scope, **facts))

    def _apply(self) -> None:
        """Lets the trunks know."""
        everything = self._orders.get("all")
        self.trunks.paused = "" if everything is None else _why(everything)
        for name, line in self.trunks.lines().items():
            order = self._orders.get(f"trunk:{name}")
            line.paused = "" if order is None else _why(order)

    def _check(self, scope: str, word: str | None) -> None:
        if word not in (None, "paused", "cancelled"):
            raise NotAllowed(f"There is no order {word!r}; there are paused and cancelled.")
        batch = batch_of(scope)
        if word == "cancelled" and batch is None:
            raise NotAllowed("Only a batch can be cancelled as a whole.")
        if word is None and scope in self._orders:
            return
        if scope.startswith("trunk:") and self.trunks.line(scope[6:]) is None:
            raise NotAllowed(f"There is no trunk {scope[6:]!r}, only {', '.join(self.trunks.lines())}.")
        if batch is not None and not self.ledger.store.has_batch(*batch):
            raise NotAllowed(f"User {batch[0]} has no batch {batch[1]!r}.")
        if batch is None and scope != "all" and not scope.startswith("trunk:"):
            raise NotAllowed(
                f"{scope!r} is nothing that can be paused: give all, trunk:NAME or batch:OWNER:NAME."
            )


def batch_of(scope: str) -> tuple[int, str] | None:
    """Owner and name of a batch's scope; None for another scope."""
    kind, _, rest = scope.partition(":")
    owner, colon, name = rest.partition(":")
    return (int(owner), name) if kind == "batch" and colon and owner.isdecimal() and name else None


def _why(order: Order) -> str:
    at: datetime = order.at
    by = "by its fuse" if order.owner == FUSE_OWNER else f"by uid {order.owner}"
    return f"paused {by} at {at:%Y-%m-%d %H:%MZ}" + (f": {order.reason}" if order.reason else "")
