"""One account with a provider: its pace, its threads, what it is asked. Never waits in the caller's thread.

What is sent goes out once. Reads wait for their turn, and are tried again once.
"""

import inspect
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote, urlencode

from dialerd.core.errors import AccountRefused, DeliveryError, Rejected, Unavailable, Unconfirmed
from dialerd.core.meters import NOBODY, Meters
from dialerd.core.operations import FIND, OPERATIONS, STATUS, Effect, Operation
from dialerd.core.receipts import Area, Errand, Page, Receipt
from dialerd.core.signals import ProviderAnswered, ProviderAsked
from dialerd.core.tasks import Fax, kind_of_task
from dialerd.providers.health import Health
from dialerd.providers.http import perform
from dialerd.providers.judge import understood
from dialerd.providers.limiter import Limiter
from dialerd.providers.pool import Pool, Slots, Work
from dialerd.providers.settings import AccountSettings
from dialerd.providers.wire import Reply, Request

ASKED_S, LOOKED_S = 30.0, 120.0
"""How long a read waits for its turn: somebody's who asks, and a look for a job."""

MOST_ITEMS, MOST_PAGES, FIND_PAGES = 10_000, 2_000, 20
LOOKERS, ASKERS = 2, 2
MOST_SENT, MOST_LOOKS, MOST_ASKED = 100_000, 1_000, 100
_SOON_S = 0.05

Read = Callable[[Reply], Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What accounts are handed: `documents` are the bytes of a fax by its id, `callback_url` is where an
    attempt's receipts are sent to, by provider and reference; `tell` gets AccountBlocked."""

    documents: Callable[[str], bytes]
    callback_url: Callable[[str, str], str | None]
    tell: Callable[[object], None]
    meters: Meters = NOBODY


@dataclass
class Account:
    """Safe from any thread. `limiter` is handed in, since it may already have to wait."""

    settings: AccountSettings
    around: Surroundings
    limiter: Limiter
    health: Health = field(init=False)
    slots: Slots = field(init=False)

    def __post_init__(self) -> None:
        name, size = self.settings.name, self.settings.connections
        self.health, self.slots = Health(name, self.around.meters), Slots(size)
        self._senders = Pool(f"send-{name}", size, MOST_SENT)
        self._lookers = Pool(f"look-{name}", LOOKERS, MOST_LOOKS)
        self._askers = Pool(f"ask-{name}", ASKERS, MOST_ASKED)

    def reconfigure(self, settings: AccountSettings, now: float) -> None:
        """Other settings count from now on; what is under way goes on with the old ones."""
        if settings.provider != self.settings.provider:
            self.health.renewed()
        if settings.per_minute != self.settings.per_minute:
            self.limiter.reconfigure(settings.per_minute, now)
        self.settings, self.slots.size = settings, settings.connections
        self._senders.resize(settings.connections)

    def stop(self) -> None:
        """Begins nothing any more."""
        self.limiter.stop()
        for pool in (self._senders, self._lookers, self._askers):
            pool.stop()

    def join(self, deadline: float) -> None:
        """Waits for what was sent; a look or a question may be broken off."""
        self._senders.join(deadline)

    def room(self, now: float) -> int:
        """How many requests may begin now."""
        return min(self.slots.free(), self.limiter.room(now))

    def next(self, now: float) -> float | None:
        """When time makes room; None where there is some, or where only an answer makes it."""
        due = self.limiter.next(now)
        if due is None and not self.slots.free() and self.slots.read:
            return now + _SOON_S  # nobody is told when a read is over
        return due

    def can_look(self, kind: str, ref: bool) -> bool:
        """Whether it can be asked about a job of this kind, by its own id (`ref`) or without one."""
        provider = self.settings.provider
        return STATUS.get(kind) in provider.available() if ref else kind in provider.finders()

    def send(self, operation: str, errand: Errand, done: Callable[[ProviderAnswered], None]) -> None:
        """Takes its token and slot at once, and hands the errand over in a thread of its own."""
        self.limiter.take(time.monotonic())
        self.slots.take()
        settings, left = self.settings, _Once(self.slots.give_back)

        def do() -> ProviderAnswered:
            try:
                return self._answered(errand, self._sent(settings, operation, errand))
            except DeliveryError as error:
                return self._answered(errand, error)
            finally:
                left.run()

        def failed(error: DeliveryError) -> ProviderAnswered:
            left.run()
            return self._answered(errand, error)

        self._senders.run(Work(do, done, failed))

    def look(self, kind: str, errand: Errand, ref: str | None, done: Callable[[ProviderAsked], None]) -> None:
        """Asks what became of an errand, by the provider's id of it, or else by our reference."""
        name = self.settings.name

        def do() -> ProviderAsked:
            try:
                found = self._status(kind, ref) if ref else self._found(kind, errand)
            except DeliveryError as error:
                return failed(error)
            why = "" if found else f"{name} does not show it."
            return ProviderAsked(name, errand.reference, found, why)

        def failed(error: DeliveryError) -> ProviderAsked:
            return ProviderAsked(name, errand.reference, None, str(error))

        self._lookers.run(Work(do, done, failed))

    def ask(self, operation: Operation, parameters: Mapping[str, Any]) -> "Future[Any]":
        """Does an act, or reads; all pages of it. The future raises DeliveryError."""
        future: Future[Any] = Future()

        def do() -> Any:
            try:
                return self._asked(operation, parameters) if future.set_running_or_notify_cancel() else None
            except DeliveryError as error:
                return error

        def done(answer: Any) -> None:
            if isinstance(answer, DeliveryError):
                future.set_exception(answer)
            elif not future.cancelled():
                future.set_result(answer)

        self._askers.run(Work(do, done, lambda error: error))
        return future

    def describe(self) -> dict[str, Any]:
        """How it stands, for people."""
        now, settings = time.monotonic(), self.settings
        return {
            "name": settings.name,
            "type": settings.provider.TYPE,
            "operations": sorted(settings.provider.available()),
            "per_minute": settings.per_minute,
            "connections": settings.connections,
            "busy": self.slots.used,
            **self.health.describe(self.limiter.blocked(now), now),
        }

    def _answered(self, errand: Errand, answer: Receipt | DeliveryError) -> ProviderAnswered:
        """The answer to each attempt that shared the request."""
        answers = {errand.reference: answer} if not errand.references else {}
        for number, reference in errand.references.items():
            if isinstance(answer, Receipt):
                ref = answer.refs.get(number, answer.ref)
                answers[reference] = replace(answer, ref=ref, reference=reference, to=number)
            else:
                answers[reference] = answer
        return ProviderAnswered(self.settings.name, answers, time.monotonic())

    def _sent(self, settings: AccountSettings, operation: str, errand: Errand) -> Receipt:
        provider, asked = settings.provider, OPERATIONS.get(operation)
        if asked is None or operation not in provider.available():
            raise Rejected(f"{settings.name} can't do this: it has no {operation}.")
        kind = kind_of_task(errand.task)
        if mistakes := list(provider.objections(kind, errand.call, errand.task)):
            raise Rejected(f"{settings.name} can't do this: {' '.join(each.what for each in mistakes)}")
        request = getattr(provider, asked.method)(self._equipped(settings, errand))
        receipt = self._once(settings, request, getattr(provider, asked.reader), sending=True)
        if not receipt.ref and not receipt.refs:
            raise Unconfirmed(f"{settings.name} took it, but gave no id: it can't be followed.")
        return receipt  # type: ignore[no-any-return]

    def _equipped(self, settings: AccountSettings, errand: Errand) -> Errand:
        """The errand with what it needs to be sent. Raises DeliveryError: nothing is sent yet."""
        callback = errand.callback or self.around.callback_url(settings.name, errand.reference)
        document = errand.document
        if isinstance(errand.task, Fax) and document is None:
            try:
                document = self.around.documents(errand.task.document)
            except (FileNotFoundError, LookupError):
                raise Rejected("The document is not there any more: hand the fax in again.") from None
            except OSError as error:
                raise Unavailable(f"The document can't be read: {error.strerror}.") from None
        return replace(errand, callback=_with_reference(callback, errand.reference), document=document)

    def _once(self, settings: AccountSettings, request: Request, read: Read, *, sending: bool) -> Any:
        try:
            with self.health.judging(sending):
                reply = perform(settings, request, sending=sending, ready=self.limiter.gate)
                self.health.heard(reply.headers.get("date", ""))
                return understood(settings, request, reply, read)
        except DeliveryError as error:
            self._note(error)
            raise

    def _note(self, error: DeliveryError) -> None:
        wait = error.retry_after if isinstance(error, Unavailable) else None
        if wait and not isinstance(error, AccountRefused):
            self.limiter.block_until(time.monotonic() + wait)
            self.around.tell(self.health.blocked(wait))

    def _read(self, request: Request, read: Read, limit_s: float, *, act: bool = False) -> Any:
        """One reply, once its turn came. Tried a second time where that may help; an act never is."""
        try:
            return self._in_turn(request, read, limit_s, act)
        except (Unavailable, Unconfirmed) as error:
            if act or isinstance(error, AccountRefused) or getattr(error, "retry_after", None):
                raise
        return self._in_turn(request, read, limit_s, act)

    def _in_turn(self, request: Request, read: Read, limit_s: float, sending: bool) -> Any:
        deadline = time.monotonic() + limit_s
        if not (self.limiter.wait_to_read(deadline) and self.slots.take_to_read(deadline)):
            why = f"{self.settings.name} is asked as often as it allows: ask again later."
            raise Unavailable(why, retry_after=limit_s)
        try:
            return self._once(self.settings, request, read, sending=sending)
        finally:
            self.slots.give_back_read()

    def _status(self, kind: str, ref: str) -> Receipt | None:
        if not self.can_look(kind, ref=True):
            raise Rejected(f"{self.settings.name} can't be asked what became of it.")
        provider, asked = self.settings.provider, OPERATIONS[STATUS[kind]]
        found = self._read(
            getattr(provider, asked.method)(ref=ref), getattr(provider, asked.reader), LOOKED_S
        )
        return found if isinstance(found, Receipt) else None

    def _found(self, kind: str, errand: Errand) -> Receipt | None:
        """The one entry of the provider's list that has our reference. Raises DeliveryError, also where there
        are several: then none of them is sure."""
        if not self.can_look(kind, ref=False):
            raise Rejected(f"{self.settings.name} can't be asked for it.")
        provider, method = self.settings.provider, FIND[kind]
        make, read = getattr(provider, method), getattr(provider, f"read_{method}")
        found: dict[str | None, Receipt] = {}
        for page in self._pages(lambda cursor: make(errand, cursor=cursor), read, LOOKED_S, FIND_PAGES):
            found |= {each.ref: each for each in page.items if provider.is_of(errand, each)}
        if len(found) > 1:
            raise Unconfirmed(f"{self.settings.name} shows it {len(found)} times.")
        return next(iter(found.values()), None)

    def _asked(self, operation: Operation, parameters: Mapping[str, Any]) -> Any:
        provider = self.settings.provider
        make, read = getattr(provider, operation.method), getattr(provider, operation.reader)
        given = {name: value for name, value in parameters.items() if value is not None}
        _accept(self.settings.name, operation, make, given)
        if not operation.paged:
            request = make(**given, **self._heard(operation, given.get("tag", "")))
            return self._read(request, read, ASKED_S, act=operation.effect is Effect.ACT)
        most = given.get("limit")
        items: list[Any] = []
        for page in self._pages(lambda cursor: make(**given, cursor=cursor), read, ASKED_S, MOST_PAGES):
            items += _fitting(operation, given, page.items)
            if most is not None and len(items) >= most:
                return tuple(items[:most])
            if len(items) > MOST_ITEMS:
                raise Rejected(f"There are more than {MOST_ITEMS}: ask for less, such as a shorter time.")
        return tuple(items)

    def _heard(self, operation: Operation, reference: str) -> dict[str, str | None]:
        """Where a session's notifications go: without that, a step is its last one. The engine's steps have
        our reference as their tag."""
        if not operation.name.startswith("ivr."):
            return {}
        url = self.around.callback_url(self.settings.name, reference)
        return {"callback": _with_reference(url, reference) if reference else url}

    def _pages(
        self, make: Callable[[str | None], Request], read: Read, limit_s: float, most: int
    ) -> Iterator[Page]:
        cursor, seen = None, set[str]()
        for _ in range(most):
            page: Page = self._read(make(cursor), read, limit_s)
            yield page
            cursor = page.cursor
            if cursor is None:
                return
            if cursor in seen:
                raise Unconfirmed(f"{self.settings.name} gives the same page again and again.")
            seen.add(cursor)


def _accept(name: str, operation: Operation, make: Callable[..., Request], given: Mapping[str, Any]) -> None:
    """Raises Rejected for what this provider has no parameter for."""
    takes = inspect.signature(make).parameters
    unknown = [each for each in given if each not in takes]
    if unknown:
        raise Rejected(
            f"{name} can't be asked for {operation.name} by {' and '.join(unknown)}: leave that out."
        )


def _fitting(operation: Operation, given: Mapping[str, Any], items: Sequence[Any]) -> list[Any]:
    """Those that were asked for, where the provider lists others too."""
    found = list(items)
    if any(each.name == "incoming" for each in operation.parameters):
        wanted = bool(given.get("incoming"))
        found = [each for each in found if not isinstance(each, Receipt) or each.incoming == wanted]
    if isinstance(country := given.get("country"), str):
        found = [each for each in found if not isinstance(each, Area) or _of(each, country)]
    return found


def _of(area: Area, country: str) -> bool:
    return bool(area.raw.get("country", country) == country)


class _Once:
    """Runs something the first time only."""

    def __init__(self, run: Callable[[], None]) -> None:
        self._left: Callable[[], None] | None = run

    def run(self) -> None:
        left, self._left = self._left, None
        if left is not None:
            left()


def _with_reference(url: str | None, reference: str) -> str | None:
    """The address for receipts, which brings our reference back."""
    if url is None or f"ref={quote(reference, safe='')}" in url:
        return url
    return f"{url}{'&' if '?' in url else '?'}{urlencode({'ref': reference})}"
