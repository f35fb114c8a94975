"""What the configuration says about calls, and what a call may not ask for under it."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from dialerd.core.destinations import Destinations, caller_id_allowed
from dialerd.core.errors import Mistake
from dialerd.core.model import Call
from dialerd.core.retry import RetryPolicy
from dialerd.core.segments import GSM, Limits
from dialerd.core.tasks import Task
from dialerd.core.windows import Hours

HOUR_S = 3600


def nobody(_number: str) -> str | None:
    """The stop lists where there are none."""
    return None


@dataclass(frozen=True, slots=True)
class Caps:
    """What may be done at most; None for no cap. A day begins at midnight in the zone of [caps].

    `spend_per_day` is money in units of 1/10000.
    """

    calls_per_day: int | None = None
    minutes_per_day: int | None = None
    concurrent: int | None = None
    spend_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way out through Asterisk. `extensions` is a pattern of the internal numbers that it takes, or None
    for none.

    `public`: it leads to the public network, so premium and satellite numbers are refused. `caller_ids` are
    shell patterns of the numbers that calls through it may show. `destinations` None: whatever [calls]
    allows. Of its `max_channels` and `calls_per_second`, `reserved_channels` and `reserved_rate` are kept for
    urgent jobs.
    """

    name: str
    channel: str
    extensions: re.Pattern[str] | None = None
    public: bool = True
    caller_ids: tuple[str, ...] = ("*",)
    destinations: Destinations | None = None
    calls_per_second: float | None = None
    max_channels: int | None = None
    reserved_channels: int = 0
    reserved_rate: float = 0.0
    caps: Caps = field(default_factory=Caps)


def no_objections(_kind: str, _call: Call, _task: Task | None) -> Iterator[Mistake]:
    """A provider that takes whatever it has an operation for."""
    return iter(())


@dataclass(frozen=True, slots=True)
class Provider:
    """A way out through an account with a cloud provider. `operations` are those that it has
    (core/operations.py).

    `segments` says how it cuts messages. `senders` are shell patterns of what may be shown as sender or
    caller id, `sender` is the default one. `destinations` None: whatever [calls] allows. `objections` yields
    what it can't express or won't take. `connections`: how many requests may be under way.
    """

    name: str
    type: str
    operations: frozenset[str] = frozenset()
    senders: tuple[str, ...] = ("*",)
    sender: str | None = None
    destinations: Destinations | None = None
    connections: int = 4
    segments: Limits = GSM
    caps: Caps = field(default_factory=Caps)
    objections: Callable[[str, Call, Task | None], Iterator[Mistake]] = no_objections

    def line(self) -> Trunk:
        """What the engine keeps account of it by."""
        return Trunk(self.name, "", max_channels=self.connections, caps=self.caps)


@dataclass(frozen=True, slots=True)
class Route:
    """Jobs of these kinds, to these numbers and with one of these tags (none: any), which these ways out
    take, in this order."""

    where: Destinations
    trunks: tuple[str, ...]
    kinds: tuple[str, ...] = ("call",)
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """What the configuration says about calls. The lists hold shell patterns (`*`, `?`).

    `stopped` says in a sentence why a number must not be called, or None. `report_urls` are the beginnings of
    addresses that a job's report_url may have. Jobs of `urgent_from` or more in priority are urgent.
    `expire_after_s`: how long a job that names no not_after may wait. `zone` is the zone of callees whose own
    is unknown. `role` names whose rules these are; `listed_by_role` are the settings that this role has a
    list of its own for, and `usable_trunks` patterns of the trunks and providers that it may use
    (core/roles.py). `orders`: whether
    numbers and routes may be bought, changed and given up.
    """

    trunks: Mapping[str, Trunk] = field(default_factory=dict)
    routes: tuple[Route, ...] = ()
    default_trunk: str | None = None
    default_country: str | None = None
    destinations: Destinations = field(default_factory=lambda: Destinations.parse(()))
    applications: tuple[str, ...] = ("Playback",)
    functions: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    caller_ids: tuple[str, ...] = ("*",)
    ring_context: str = "dialerd-ring"
    hours: Mapping[str, Hours] = field(default_factory=dict)
    default_hours: str | None = None
    zone: str = "UTC"
    retry: Mapping[str, RetryPolicy] = field(default_factory=dict)
    default_retry: str | None = None
    expire_after_s: int = 24 * HOUR_S
    urgent_from: int = 8
    max_priority: int = 9
    report_urls: tuple[str, ...] = ()
    stopped: Callable[[str], str | None] = nobody
    role: str = ""
    listed_by_role: frozenset[str] = frozenset()
    usable_trunks: tuple[str, ...] = ("*",)
    providers: Mapping[str, Provider] = field(default_factory=dict)
    orders: bool = True

    def lines(self) -> dict[str, Trunk]:
        """Every way out, as the engine keeps account of it."""
        return {**self.trunks, **{name: each.line() for name, each in self.providers.items()}}


def refusals(call: Call, rules: Rules) -> Iterator[Mistake]:
    """Every wish of the call that the configuration does not allow, each with the line that would allow
    it."""
    for channel in call.channel.split("&") if call.channel is not None else ():
        yield from _listed("channel", "channels", channel, rules)
    if call.application is not None:
        yield from _listed("application", "applications", call.application, rules, fold=True)
    if call.context is not None:
        yield from _listed("context", "contexts", call.context, rules)
    if call.caller_id_number is not None and not caller_id_allowed(call.caller_id_number, rules.caller_ids):
        yield _refused("caller_id", "caller_ids", call.caller_id_number, rules)
    for name, _ in call.variables:
        if name.endswith(")"):
            function = name.partition("(")[0].lstrip("_")
            yield from _listed(f"variables.{name}", "functions", function, rules, fold=True)


def senders_refused(where: str, senders: Iterable[str], rules: Rules) -> Iterator[Mistake]:
    """What a job that is no call may not show as its sender; "private" shows nobody."""
    for sender in senders:
        if sender != "private" and not caller_id_allowed(sender, rules.caller_ids):
            yield _refused(where, "caller_ids", sender, rules)


def orders_refused(rules: Rules) -> Iterator[Mistake]:
    """Orders of numbers and routes, which cost money, are for administrators."""
    if not rules.orders:
        yield Mistake(
            "kind",
            f"Orders of numbers and routes take the right admin, which your role ({rules.role}) does not"
            " give.",
            "role",
        )


def priority_refused(priority: int, rules: Rules) -> Iterator[Mistake]:
    """What a job may not ask of the queue."""
    if priority > rules.max_priority:
        yield Mistake(
            "priority",
            f"{priority} is not allowed here: {rules.max_priority} is the highest."
            f" The administrator can allow it under {_section(rules)}: max_priority = {priority}",
            "role",
        )


def usable(trunk: str, rules: Rules) -> bool:
    """Whether calls under these rules may go through this trunk."""
    patterns = rules.usable_trunks
    return patterns == ("*",) or any(fnmatchcase(trunk, pattern) for pattern in patterns)


def _listed(where: str, setting: str, value: str, rules: Rules, fold: bool = False) -> Iterator[Mistake]:
    allowed: tuple[str, ...] = getattr(rules, setting)
    text = value.lower() if fold else value
    if not any(fnmatchcase(text, pattern.lower() if fold else pattern) for pattern in allowed):
        yield _refused(where, setting, value, rules)


def _refused(where: str, setting: str, value: str, rules: Rules) -> Mistake:
    section = _section(rules) if setting in rules.listed_by_role else "[calls]"
    line = f'{section}: {setting} = ["{value}"]'
    what = f"{value!r} is not allowed here. The administrator can allow it under {line}"
    return Mistake(where, what, "role")


def _section(rules: Rules) -> str:
    """Where the configuration says what this caller may do: his first role's section."""
    return f"[roles.{rules.role.partition(',')[0]}]" if rules.role else "[calls]"
