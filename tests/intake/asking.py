"""A real Api on a real socket, before accounts with providers that behave: they have what they have, answer
in threads of their own, and remember what they were asked."""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from dialerd.core.destinations import Destinations
from dialerd.core.errors import NotServed
from dialerd.core.model import Disposition
from dialerd.core.operations import OPERATIONS, Effect
from dialerd.core.policy import Provider, Route
from dialerd.core.receipts import AccountState, Area, Number, Price, Receipt, RouteEntry
from dialerd.core.roles import Right, Role, Roles, with_included
from dialerd.documents import DocumentSettings, FolderOfDocuments
from dialerd.intake.api import Api, ApiSettings
from dialerd.intake.api.extras import Extras
from tests.intake.desk import MemoryDesk
from tests.intake.serving import RULES, Served
from tests.lists.serving import NoReports

_KINDS = ("call", "sms", "fax", "conference", "ivr")
AT = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)
SENT = Receipt(
    "s-1", "3f9k2m8qx1abc.1", Disposition.DELIVERED, word="sent", to="+4930123456", sender="+6591234567",
    body="Hello", at=AT, parts=1, price="0.05", currency="SGD", raw={"txn_ref": "s-1", "debit": "0.05"},
)  # fmt: skip
ON_ITS_WAY = replace(SENT, ref="s-2", disposition=None, handed_on=True, word="sending", price=None, raw={})
OURS = Number("+6531234567", "n-1", "SG", capabilities=("voice", "sms"), monthly="5.00", currency="SGD",
              expiry=date(2026, 12, 1), renews=False, forward_to="+6591234567")  # fmt: skip
CALL = Receipt("c-1", disposition=Disposition.BUSY, word="busy", to="+4930123456", at=AT, seconds=0)

HOIIO: dict[str, Any] = {
    **dict.fromkeys(
        each.name for each in OPERATIONS.values() if each.effect is Effect.JOB and each.kinds != ("number",)
    ),
    "numbers.buy": None,
    "numbers.configure": None,
    "sms.status": SENT,
    "sms.history": (SENT, ON_ITS_WAY),
    "sms.rate": Price("0.05", "message", "SGD", parts=2, total="0.10", unicode=False),
    "fax.status": Receipt("f-1", disposition=Disposition.NOANSWER, word="unanswered", parts=3),
    "fax.history": (),
    "fax.rate": Price("0.10", "page", "SGD"),
    "voice.status": CALL,
    "voice.history": (CALL,),
    "voice.rate": Price("0.02", "minute", "SGD", minutes="17"),
    "voice.hangup": Receipt("c-1"),
    "ivr.play": Receipt(session="S-1"),
    "ivr.gather": Receipt(session="S-1"),
    "ivr.record": Receipt(session="S-1"),
    "ivr.monitor": Receipt(session="S-1"),
    "ivr.transfer": Receipt(session="S-1", room="R1"),
    "ivr.hangup": Receipt(session="S-1"),
    "numbers.countries": (
        Area("US", "United States", "1", (Area("CA", "California"),)),
        Area("SG", "Singapore", "65"),
    ),
    "numbers.areas": (Area("CA", "California"),),
    "numbers.search": (replace(OURS, number="+6531112222", expiry=None, renews=None, forward_to=None),),
    "numbers.rate": (Price("5.00", "1 month", "SGD"), Price("60.00", "12 months", "SGD")),
    "numbers.list": (OURS,),
    "numbers.show": OURS,
    "account.balance": AccountState("12.50", "SGD", {"points": "10.00", "bonus": "2.50"}),
    "account.info": AccountState(details={"name": "Anna", "country": "SG"}),
}
FLOWROUTE: dict[str, Any] = {
    **dict.fromkeys(("sms.send", "numbers.buy", "numbers.release")),
    **dict.fromkeys(("routes.create", "routes.set_primary", "routes.set_failover")),
    "sms.history": (replace(SENT, ref="mdr2-1", sender="+12065550100", at=AT.replace(hour=8)),),
    "sms.status": NotServed("there is no message of this id"),
    "fax.cancel": Receipt("f-1"),
    "numbers.areas": (Area("206"),),
    "numbers.exchanges": (Area("206555"),),
    "numbers.list": (Number("+12065550100", monthly="1.25", primary_route="98396"),),
    "routes.list": (RouteEntry("98396", "host", "pbx.example.com", "office"), RouteEntry("0", "sip-reg")),
}


class FakeAccounts:
    """Accounts by name: `has` holds what each operation is answered with, by account: a value, an error that
    the answer is, or a callable that makes it of the parameters. `asked` is what they were asked."""

    def __init__(self, **has: Mapping[str, Any]) -> None:
        self.has: dict[str, dict[str, Any]] = {name: dict(each) for name, each in has.items()}
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.told: dict[str, dict[str, Any]] = {}
        self._threads = ThreadPoolExecutor(4)

    def stop(self, _timeout: float = 0) -> None:
        """Ends the threads."""
        self._threads.shutdown()

    def describe(self) -> list[dict[str, Any]]:
        """As the real ones do; `told` are the changes of each."""
        nothing = dict.fromkeys(
            ("blocked_until", "blocked_why", "last_error", "last_error_at", "last_success")
        )
        often = {"per_minute": 60.0, "connections": 4, "busy": 0, "refused": False}
        return [
            {"name": name, "type": name, **often, **nothing, **self.told.get(name, {})} for name in self.has
        ]

    def names(self) -> Iterable[str]:
        return list(self.has)

    def operations(self, name: str) -> frozenset[str]:
        return frozenset(self.has[name])

    def ask(self, name: str, operation: str, parameters: Mapping[str, Any]) -> "Future[Any]":
        self.asked.append((name, operation, dict(parameters)))
        return self._threads.submit(self._answer, self.has[name][operation], parameters)

    def _answer(self, found: Any, parameters: Mapping[str, Any]) -> Any:
        value = found(parameters) if callable(found) else found
        if isinstance(value, Exception):
            raise value
        return value


class ProvidersServed(Served):
    """An Api that knows providers: hoiio and flowroute, if nothing else is said."""

    def __init__(
        self,
        path: Path,
        accounts: Any = None,
        right: Right = Right.ADMIN,
        inventory: Callable[[str, Sequence[Any]], Sequence[Any]] = lambda _name, items: items,
        **settings: Any,
    ) -> None:
        self.path, self.desk = path, MemoryDesk()
        self.accounts: Any = accounts or FakeAccounts(hoiio=HOIIO, flowroute=FLOWROUTE)
        self.settings = ApiSettings(path, **settings)
        role = Role("test", users=frozenset({os.geteuid()}), rights=with_included([right]))
        documents = FolderOfDocuments(DocumentSettings(path.parent / "documents"))
        documents.prepare()
        extras = Extras(lambda: None, NoReports(), self.accounts, inventory, documents)  # type: ignore[arg-type, return-value]
        names = self.accounts.names()
        ways = {name: Provider(name, name, self.accounts.operations(name)) for name in names}
        rules = replace(
            RULES, providers=ways, routes=(Route(Destinations.parse(("*",)), tuple(ways), _KINDS),)
        )
        self.api = Api(self.settings, self.desk, rules, Roles((role,), admins=frozenset()), extras)

    def __enter__(self) -> "ProvidersServed":
        super().__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self.accounts.stop(30)
