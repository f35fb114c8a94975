"""Whom a job is for and which ways out may take it: one target for each number, or one for all of them."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dialerd.core import texts
from dialerd.core.errors import Mistake
from dialerd.core.model import Call
from dialerd.core.numbers import is_emergency
from dialerd.core.operations import operation_of
from dialerd.core.policy import Rules, refusals
from dialerd.core.routing import (
    NoWay,
    Wish,
    channel_for,
    named_provider,
    senders_of,
    trunk_for,
    ways_for,
    willing,
)
from dialerd.core.tasks import Script, Task
from dialerd.intake.kinds import ACTIONS, CALL, SCRIPT
from dialerd.intake.tasks import Find, script_of, task_of

_CALL_FIELDS = (
    "application", "data", "context", "extension", "dialplan_priority", "play", "account", "wait_time",
    "early_media",
)  # fmt: skip
_OPERATION = {"connect": "voice.connect", "flow": "voice.flow", "play_url": "voice.play", "say": "voice.say"}
_OF_KIND = {"fax": "fax.send", "ivr": "ivr.dial"}
"""Of those kinds of whose task nothing may be left: what takes their numbers all the same."""

_UNKNOWN = "?"
"""Begins what stands in the place of a number that has a mistake."""


@dataclass(frozen=True, slots=True)
class Target:
    """A job to be: its call, its task, and the ways that may take it, in order."""

    call: Call
    task: Task | None
    ways: tuple[str, ...]


def targets_of(
    kind: str,
    good: Mapping[str, Any],
    given: Collection[str],
    rules: Rules,
    find: Find,
    mistakes: list[Mistake],
) -> list[Target]:
    """The jobs that the document stands for. Adds what is wrong with the numbers, or not allowed."""
    if kind == CALL:
        return _calls(good, given, rules, mistakes)
    task = task_of(kind, good, rules, find, mistakes)
    operation = _OF_KIND.get(kind) if task is None else operation_of(Call(), task)
    senders = () if task is None else senders_of(Call(), task)
    wish = Wish(kind, operation, False, None, good.get("provider"), senders, tuple(good.get("tags", ())))
    if kind == "number":
        targets = _order(wish, task, rules, mistakes)
    else:
        numbers, ways = _numbers(good, given, wish, rules, mistakes)
        targets = [Target(Call(to=(number,)), task, each) for number, each in zip(numbers, ways, strict=True)]
        if kind == "conference" and numbers:
            targets = [_together(numbers, ways, task, mistakes)]
    if mistakes or task is None:
        return targets
    return _willing(targets, rules, mistakes)


def _order(wish: Wish, task: Task | None, rules: Rules, mistakes: list[Mistake]) -> list[Target]:
    if wish.provider is None or task is None:
        return []
    if found := list(_no_such_way(wish, rules)):
        mistakes += found
        return []
    return [Target(Call(), task, (wish.provider,))]


def _together(
    numbers: list[str], ways: list[tuple[str, ...]], task: Task | None, mistakes: list[Mistake]
) -> Target:
    shared = _shared(ways)
    if not shared and not any(number.startswith(_UNKNOWN) for number in numbers):
        mistakes.append(
            Mistake("to", "No provider takes all of these numbers, so they can't meet in a room.")
        )
    return Target(Call(to=tuple(numbers)), task, shared)


def _shared(ways: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(way for way in ways[0] if all(way in each for each in ways)) if ways else ()


def _willing(targets: list[Target], rules: Rules, mistakes: list[Mistake]) -> list[Target]:
    """The targets with the ways that don't object. Adds every objection to those that no way takes."""
    made, told = [], dict.fromkeys(mistakes)
    for target in targets:
        ways, objections = willing(target.call, target.task, target.ways, rules)
        if not ways:
            told |= dict.fromkeys(objections)
        made.append(replace(target, ways=ways, call=replace(target.call, trunk=_first_trunk(ways, rules))))
    mistakes[:] = told
    return made


def complaint(check: Callable[..., Any], *args: Any) -> str:
    """What a check says against its arguments, "" for nothing."""
    try:
        check(*args)
    except ValueError as error:
        return str(error)
    return ""


def _calls(
    good: Mapping[str, Any], given: Collection[str], rules: Rules, mistakes: list[Mistake]
) -> list[Target]:
    """One call per number, or one that rings them all."""
    caller = good.get("caller_id")
    script = script_of(good, given, rules, mistakes)
    fields: dict[str, Any] = {name: good[name] for name in _CALL_FIELDS if name in good}
    if "context" in good:
        fields.setdefault("extension", "s")
    fields |= {
        "variables": tuple(good.get("variables", {}).items()),
        "codecs": tuple(dict.fromkeys(good.get("codecs", ()))),
        "caller_id_name": caller and caller.name,
        "caller_id_number": caller and caller.number,
        "script": script,
    }
    if "channel" in good:
        channels = _once("channel", good["channel"], mistakes)
        together = Call(**fields, channel="&".join(channels))
        ways: tuple[str, ...] = ("",)
        targets = [Target(replace(together, channel=channel), None, ways) for channel in channels]
    else:
        wish = _call_wish(good, given, caller and caller.number)
        if "to" in given or script is None:
            numbers, all_ways = _numbers(good, given, wish, rules, mistakes)
        else:
            numbers, all_ways = [], _ways_to_second(script, wish, rules, mistakes)
        ways = _shared(all_ways)
        together = Call(**fields, to=tuple(numbers), trunk=_first_trunk(ways, rules))
        targets = [
            Target(replace(together, to=(number,), trunk=_first_trunk(each, rules)), None, each)
            for number, each in zip(numbers, all_ways, strict=False)
        ]
    mistakes += refusals(together, rules)
    mistakes += _emergency(together, rules)
    if good.get("ring") == "any" and len(targets) > 1:
        ways = tuple(way for way in ways if way in rules.trunks or way == "")
        mistakes += _cannot_ring(together, ways, rules)
        return [Target(together, None, ways)]
    targets = targets or [Target(together, None, ways)]
    if mistakes or "channel" in good:
        return targets
    return _willing(targets, rules, mistakes)


def _call_wish(good: Mapping[str, Any], given: Collection[str], sender: str | None) -> Wish:
    verb = next((each for each in SCRIPT if each in given), None)
    return Wish(
        operation=_OPERATION[verb] if verb is not None else None,
        by_trunk=verb is None or any(action in given for action in ACTIONS),
        trunk=good.get("trunk"),
        provider=good.get("provider"),
        senders=() if sender is None else (sender,),
        tags=tuple(good.get("tags", ())),
    )


def _first_trunk(ways: tuple[str, ...], rules: Rules) -> str | None:
    return next((way for way in ways if way in rules.trunks), None)


def _emergency(call: Call, rules: Rules) -> Iterator[Mistake]:
    if call.extension is not None and is_emergency(call.extension, rules.default_country):
        what = f"{call.extension} is an emergency number: dialerd never calls those."
        yield Mistake("extension", what, "emergency")


def _ways_to_second(
    script: Script, wish: Wish, rules: Rules, mistakes: list[Mistake]
) -> list[tuple[str, ...]]:
    """The ways of a call whose first phone is the account's own."""
    if script.connect is None:
        return []
    try:
        return [ways_for(script.connect, replace(wish, by_trunk=False), rules)[1]]
    except ValueError as error:
        where = "provider" if isinstance(error, NoWay) else "connect"
        mistakes.append(Mistake(where, str(error), getattr(error, "rule", "")))
        return []


def _numbers(
    good: Mapping[str, Any], given: Collection[str], wish: Wish, rules: Rules, mistakes: list[Mistake]
) -> tuple[list[str], list[tuple[str, ...]]]:
    """The numbers as they are dialled, and the ways of each; "?" and no way for each that has a mistake."""
    wrong = [name for name in ("trunk", "provider") if name in given and name not in good]
    if "to" not in good or wrong or (wish.operation is None and not wish.by_trunk):
        return [], []
    if found := list(_no_such_way(wish, rules)):
        mistakes += found
        return [], []
    numbers, ways = [], []
    for index, text in enumerate(good["to"]):
        try:
            number, each = ways_for(text, wish, rules)
        except ValueError as error:
            number, each = f"{_UNKNOWN}{index}", ()
            where = "to" if len(good["to"]) == 1 else f"to.{index}"
            where = "provider" if isinstance(error, NoWay) else where
            mistake = Mistake(where, str(error), getattr(error, "rule", ""))
            mistakes += [mistake] if mistake not in mistakes[-1:] else []
        numbers.append(number)
        ways.append(each)
    return _once("to", numbers, mistakes), ways


def _no_such_way(wish: Wish, rules: Rules) -> Iterator[Mistake]:
    """What is wrong with the way that is named, whatever the number is."""
    if wish.provider is not None:
        try:
            named_provider(wish.provider, wish, rules)
        except ValueError as error:
            yield Mistake("provider", str(error), getattr(error, "rule", ""))
    elif wish.trunk is not None and not wish.by_trunk:
        yield Mistake("trunk", f"A trunk can't do this: give {', '.join(ACTIONS)}, or leave trunk out.")
    elif (wish.trunk or (wish.operation is None and wish.by_trunk and not rules.trunks)) and (
        what := complaint(trunk_for, wish.trunk, rules)
    ):
        yield Mistake("trunk", what)


def _once(name: str, targets: list[str], mistakes: list[Mistake]) -> list[str]:
    if len(set(targets)) < len(targets):
        first: dict[str, int] = {}
        for index, target in enumerate(targets):
            if first.setdefault(target, index) != index:
                mistakes.append(
                    Mistake(f"{name}.{index}", f"This is the same as {name}.{first[target]}: keep one.")
                )
    return targets


def _cannot_ring(call: Call, ways: tuple[str, ...], rules: Rules) -> Iterator[Mistake]:
    if any(number.startswith(_UNKNOWN) for number in call.to):
        return
    if not ways:
        yield Mistake("ring", "No trunk takes all of these numbers, so they can't ring together.")
        return
    most = min((limit for way in ways if (limit := _channels(way, rules)) is not None), default=None)
    if most is not None and call.phones > most:
        yield Mistake(
            "ring", f"These are {call.phones} phones at once: the trunk has {most} channels.", "cap"
        )
    for name, value in channel_for(call, ways[0], rules)[1]:
        if complaint(texts.line_text, f"Setvar: {name}=", value):
            yield Mistake(
                "ring", f"These are too many to ring at once: they fill more than {texts.LINE_BYTES} bytes."
            )


def _channels(way: str, rules: Rules) -> int | None:
    trunk = rules.trunks.get(way)
    return None if trunk is None else trunk.max_channels
