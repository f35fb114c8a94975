"""From a number to the ways out that may take it, in order: trunks and providers, by routes and by rules.

What is looked at when a job is accepted is looked at again, by `against`, when its turn has come.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from dialerd.core.destinations import caller_id_allowed, refusal
from dialerd.core.dialstrings import (
    CHANNEL,
    EXTENSION,
    PLACEHOLDERS,
    PUBLIC_PLACEHOLDERS,
    channel_for,
    extension_pattern,
    number_for,
    template_mistakes,
    trunk_for,
)
from dialerd.core.errors import Mistake, Refusal
from dialerd.core.model import Call
from dialerd.core.numbers import parse_public
from dialerd.core.operations import OPERATIONS
from dialerd.core.policy import Provider, Route, Rules, Trunk, usable
from dialerd.core.steps import numbers_in
from dialerd.core.tasks import Conference, Fax, Ivr, Sms, Task, kind_of_task
from dialerd.core.texts import nearest

__all__ = [
    "CHANNEL", "PLACEHOLDERS", "PUBLIC_PLACEHOLDERS", "NoWay", "Wish", "against", "as_sent", "channel_for",
    "extension_pattern", "named_provider", "number_for", "provider_for", "senders_of", "template_mistakes",
    "trunk_for", "ways_for", "willing",
]  # fmt: skip

_SENDER_FIELDS = {Sms: "sender", Fax: "caller_id", Conference: "caller_id", Ivr: "caller_id"}
_PRIVATE = "private"
"""Shows nobody's number, so that no list has to allow it."""

Way = Trunk | Provider


@dataclass(frozen=True, slots=True)
class Wish:
    """What a way out is looked for. `operation` is what a provider must have (None: none can do it),
    `by_trunk` whether a trunk can do it. `trunk` and `provider` name the only way that is wanted."""

    kind: str = "call"
    operation: str | None = None
    by_trunk: bool = True
    trunk: str | None = None
    provider: str | None = None
    senders: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


class NoWay(ValueError):
    """No way out can do it, or it is not clear which should."""


def ways_for(text: str, wish: Wish, rules: Rules) -> tuple[str, tuple[str, ...]]:
    """What a submitter wrote as it is dialled, and the names of the ways out that may take it, in order.

    Raises ValueError with a sentence; Refusal where it is a rule of the configuration that is against it.
    """
    dialled, taken, first = "", [], None
    for way in _candidates(text, wish, rules):
        try:
            number = _number_on(way, text, rules)
            _check(number, wish.senders, way, rules)
        except ValueError as error:
            first = first or error
            continue
        dialled = dialled or number
        if number == dialled:
            taken.append(way.name)
    if not taken:
        assert first is not None
        raise first
    if (stopped := rules.stopped(dialled)) is not None:
        raise Refusal("do_not_call", stopped)
    return dialled, tuple(taken)


def named_provider(name: str, wish: Wish, rules: Rules) -> Provider:
    """The provider of this name, if it can do what is wished. Raises NoWay, Refusal."""
    provider = _able(provider_for(name, rules), wish, rules)
    _check_role(provider, rules)
    return provider


def provider_for(name: str, rules: Rules) -> Provider:
    """The provider of this name. Raises NoWay."""
    if not rules.providers:
        raise NoWay("No provider is configured: the administrator adds one as [providers.NAME].")
    if name not in rules.providers:
        there = ", ".join(rules.providers)
        raise NoWay(f"There is no provider {name!r}, only {there}.{nearest(name, rules.providers)}")
    return rules.providers[name]


def _candidates(text: str, wish: Wish, rules: Rules) -> list[Way]:
    """The ways to try, in order: the one that is named, else those of the most specific route, else what
    there is without any. At least one. Raises ValueError with a sentence."""
    if wish.provider is not None:
        return [_able(provider_for(wish.provider, rules), wish, rules)]
    if wish.trunk is not None:
        return [trunk_for(wish.trunk, rules)]
    if wish.by_trunk and (inside := _by_extension(text, rules)):
        return inside
    if rules.routes and (route := _route(parse_public(text, rules.default_country), wish, rules)):
        return _of_route(route, wish, rules)
    if wish.by_trunk:
        return [trunk_for(None, rules)]
    return [_only_provider(wish, rules)]


def _by_extension(text: str, rules: Rules) -> list[Way]:
    """The trunk that takes such an extension; the default one, where several do."""
    if not EXTENSION.fullmatch(text):
        return []
    inside = [each for each in rules.trunks.values() if each.extensions and each.extensions.fullmatch(text)]
    preferred = [each for each in inside if each.name == rules.default_trunk]
    return list(preferred or (inside if len(inside) == 1 else ()))


def _route(number: str, wish: Wish, rules: Rules) -> Route | None:
    """The route with the longest prefix; of equal ones, the first that asks for one of the job's tags, else
    the first that asks for none."""
    chosen, most = None, (-1, False)
    for route in rules.routes:
        if wish.kind not in route.kinds or (route.tags and not set(route.tags) & set(wish.tags)):
            continue
        found = route.where.best(number)
        if found is None or not found.allowed:
            continue
        rank = (found.specific, bool(route.tags))
        if rank > most:
            chosen, most = route, rank
    return chosen


def _of_route(route: Route, wish: Wish, rules: Rules) -> list[Way]:
    """Those ways of a route that can do it. Raises NoWay where none can."""
    ways: list[Way] = []
    for name in route.trunks:
        if name in rules.trunks and wish.by_trunk:
            ways.append(rules.trunks[name])
        elif name in rules.providers and wish.operation in rules.providers[name].operations:
            ways.append(rules.providers[name])
    if ways:
        return ways
    if wish.operation is None:
        raise NoWay(
            f"The route there leads to {', '.join(route.trunks)} only, which are providers: say what they do"
            " on answer (connect, flow, play_url or say), or name a trunk."
        )
    raise NoWay(
        f"The route there leads to {', '.join(route.trunks)} only, and none of them can {_deed(wish)}."
        f"{_who_can(wish, rules)}"
    )


def _only_provider(wish: Wish, rules: Rules) -> Provider:
    able = [each for each in rules.providers.values() if wish.operation in each.operations]
    if not able:
        raise NoWay(
            f"No provider is configured that can {_deed(wish)}: the administrator adds one as"
            " [providers.NAME]."
        )
    if len(able) > 1:
        raise NoWay(f"No route leads there: say which provider, {_one_of(able)}.")
    return able[0]


def _able(provider: Provider, wish: Wish, rules: Rules) -> Provider:
    """The provider itself. Raises NoWay where it can't do what is wished."""
    if wish.operation in provider.operations:
        return provider
    if wish.operation is None:
        raise NoWay(
            f"{provider.name!r} is a provider: say what it does on answer (connect, flow, play_url or say)."
        )
    raise NoWay(f"The provider {provider.name!r} can't {_deed(wish)}.{_who_can(wish, rules)}")


def _deed(wish: Wish) -> str:
    if wish.operation is None:
        return "do it"
    words = OPERATIONS[wish.operation].help.rstrip(".")
    return words[:1].lower() + words[1:]


def _who_can(wish: Wish, rules: Rules) -> str:
    able = [each for each in rules.providers.values() if wish.operation in each.operations]
    return f" Name one that can: {_one_of(able)}." if able else " No provider that is configured can."


def _one_of(providers: Iterable[Provider]) -> str:
    return " or ".join(each.name for each in providers)


def _number_on(way: Way, text: str, rules: Rules) -> str:
    if isinstance(way, Provider):
        return parse_public(text, rules.default_country)
    return number_for(text, way, rules.default_country)


def _check(number: str, senders: Iterable[str], way: Way, rules: Rules) -> None:
    """Raises Refusal for what the rules have against this number and these senders on this way."""
    _check_role(way, rules)
    trunk = isinstance(way, Trunk)
    section = f"{'trunks' if trunk else 'providers'}.{way.name}"
    if number.startswith("+"):
        by_role = "destinations" in rules.listed_by_role
        general = f"roles.{rules.role.partition(',')[0]}" if by_role else "calls"
        public = way.public if isinstance(way, Trunk) else True
        for place, destinations in ((general, rules.destinations), (section, way.destinations)):
            found = None if destinations is None else refusal(number, destinations, public, place)
            if found is not None:
                raise Refusal(found.rule, found.what)
    allowed, setting = (way.caller_ids, "caller_ids") if isinstance(way, Trunk) else (way.senders, "senders")
    for sender in senders:
        if sender != _PRIVATE and not caller_id_allowed(sender, allowed):
            raise Refusal(
                "caller_id",
                f"{'Calls through trunk' if trunk else 'What goes through provider'} {way.name!r} may not"
                f" show {sender}. The administrator can allow it under [{section}]:"
                f' {setting} = ["{sender}"]',
            )


def _check_role(way: Way, rules: Rules) -> None:
    if not usable(way.name, rules):
        raise Refusal(
            "role",
            f"The role {rules.role} may not use {'trunk' if isinstance(way, Trunk) else 'provider'}"
            f" {way.name!r}. The administrator can allow it under [roles.{rules.role.partition(',')[0]}]:"
            f' trunks = ["{way.name}"]',
        )


def senders_of(call: Call, task: Task | None) -> tuple[str, ...]:
    """Every sender and caller id that a job asks to be shown."""
    field = _SENDER_FIELDS.get(type(task)) if task is not None else None
    found = getattr(task, field) if field is not None else call.caller_id_number
    steps = _caller_ids_in(task.steps) if isinstance(task, Ivr) else ()
    return tuple(dict.fromkeys(each for each in (found, *steps) if each))


def _caller_ids_in(steps: Iterable[Any]) -> Iterator[str]:
    for step in steps:
        if step.caller_id is not None:
            yield step.caller_id
        for _, inner in step.on_digits:
            yield from _caller_ids_in(inner)
        yield from _caller_ids_in(step.on_failure)


def others_of(call: Call, task: Task | None) -> tuple[str, ...]:
    """The numbers that are called beside those that a job is for: the second one of a call, and those that a
    session may be transferred to."""
    second = () if call.script is None or call.script.connect is None else (call.script.connect,)
    return (*second, *dict.fromkeys(numbers_in(task.steps) if isinstance(task, Ivr) else ()))


def willing(
    call: Call, task: Task | None, ways: Iterable[str], rules: Rules
) -> tuple[tuple[str, ...], list[Mistake]]:
    """Those of the ways that take the job as it is, and what the others have against it: providers may refuse
    what they can't express, and any way the other numbers that are called."""
    taken, mistakes = [], []
    for name in ways:
        found = list(_objections(call, task, name, rules))
        mistakes += found
        if not found:
            taken.append(name)
    return tuple(taken), list(dict.fromkeys(mistakes))


def _objections(call: Call, task: Task | None, name: str, rules: Rules) -> Iterator[Mistake]:
    way = rules.trunks.get(name) or rules.providers.get(name)
    if way is None:
        return
    where = "steps" if isinstance(task, Ivr) else "connect"
    for number in others_of(call, task) if isinstance(way, Provider) else ():
        try:
            _check(number, (), way, rules)
            if (stopped := rules.stopped(number)) is not None:
                raise Refusal("do_not_call", stopped)
        except Refusal as error:
            yield Mistake(where, str(error), error.rule)
    if isinstance(way, Provider):
        for mistake in way.objections(kind_of_task(task), *as_sent(call, task, way)):
            yield replace(mistake, rule=mistake.rule or "provider")


def as_sent(call: Call, task: Task | None, provider: Provider) -> tuple[Call, Task | None]:
    """The job as it goes to this provider: with the provider's default sender, where it names none."""
    default = provider.sender
    if default is None:
        return call, task
    if isinstance(task, Sms):
        return call, task if task.sender is not None else replace(task, sender=default)
    if not default.lstrip("+").isdecimal():  # a name is no caller id
        return call, task
    if isinstance(task, Fax | Conference | Ivr):
        return call, task if task.caller_id is not None else replace(task, caller_id=default)
    if task is None and call.caller_id_number is None and call.caller_id_name is None:
        return replace(call, caller_id_number=default), task
    return call, task


def against(call: Call, way: str, rules: Rules, task: Task | None = None) -> Refusal | None:
    """What the rules of now have against a job that was accepted before; None for nothing. A way that is not
    configured any more is not judged here, nor who called us in a session that came in."""
    found = rules.trunks.get(way) or rules.providers.get(way)
    try:
        if found is not None:
            _check_role(found, rules)
        for number in () if isinstance(task, Ivr) and task.session is not None else call.to:
            if found is not None:
                _check(number, senders_of(call, task), found, rules)
            if (stopped := rules.stopped(number)) is not None:
                return Refusal("do_not_call", stopped)
    except Refusal as error:
        return error
    mistake = next(_objections(call, task, way, rules), None)
    return None if mistake is None else Refusal(mistake.rule, str(mistake))
