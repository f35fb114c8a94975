"""From a document's fields, each right in itself, to drafts: what the fields mean together, and what the
rules allow."""

import json
import secrets
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from dialerd.core import texts
from dialerd.core.errors import Mistake
from dialerd.core.model import Call, Draft, OnDoubt
from dialerd.core.numbers import is_emergency
from dialerd.core.policy import Rules, priority_refused, refusals
from dialerd.core.routing import channel_for, trunk_for, ways_for
from dialerd.core.times import parse_when
from dialerd.intake.terms import in_time, on_doubt_of, terms_of

EXACTLY_ONE = (
    (("to", "channel"), "Say whom to call: give to or channel."),
    (("play", "application", "context"), "Say what happens on answer: give play, application or context."),
)
ONLY_WITH = {"data": "application", "extension": "context", "dialplan_priority": "context", "trunk": "to"}

DEFAULT_PRIORITY = Draft.__dataclass_fields__["priority"].default
MOST_BYTES = 4 * 1024 * 1024
"""What the jobs of one document hold together: each number is a job with all else of the document in it."""

_CALL_FIELDS = (
    "application", "data", "context", "extension", "dialplan_priority", "play", "account", "wait_time",
    "early_media",
)  # fmt: skip
_DRAFT_FIELDS = ("key", "batch", "priority", "max_retries", "retry_time")


def drafts(
    document: Mapping[str, Any], good: Mapping[str, Any], mistakes: list[Mistake], rules: Rules, now: datetime
) -> list[Draft]:
    """One draft, or one per number; none where there are mistakes. Adds those that show only here.

    `good` holds those of the document's fields that are right in themselves.
    """
    given = document.keys()
    mistakes += [*_together(good, given), *_variables(good.get("variables", {})), *_playback(good)]
    times = _times(good, now, mistakes)
    targets = _calls(good, given, rules, mistakes)
    terms = terms_of(good, rules, mistakes)
    if not mistakes:
        mistakes += _too_much(document, len(targets))
    if mistakes:
        return []
    draft = Draft(
        call=targets[0][0],
        digest=b"",
        tags=tuple(dict.fromkeys(good.get("tags", ()))),
        on_doubt=OnDoubt(good.get("on_doubt") or on_doubt_of(good, rules)),
        terms=terms,
        **{name: good[name] for name in _DRAFT_FIELDS if name in good},
        **times,
    )
    made = _one_per_call(draft, targets, document)
    timed = [in_time(each, rules, now, mistakes) for each in made]
    return [] if mistakes else timed


def _together(good: Mapping[str, Any], given: Collection[str]) -> Iterator[Mistake]:
    for names, when_none in EXACTLY_ONE:
        found = [name for name in names if name in given]
        if not found:
            yield Mistake(names[0], when_none)
        elif len(found) > 1:
            yield Mistake(found[1], f"Give only one of {' and '.join(found)}.")
    for name, other in ONLY_WITH.items():
        if name in given and other not in given:
            yield Mistake(name, f"This goes only together with {other}: add {other}, or leave {name} out.")
    if good.get("ring") == "any":
        for name in ("to", "channel"):
            if len(good.get(name, ())) == 1:
                yield Mistake(
                    "ring", f"To ring any takes several numbers: give {name} as a list, or leave ring out."
                )


def _variables(variables: Mapping[str, str]) -> Iterator[Mistake]:
    for name, value in variables.items():
        shown = name[:80] if name.isprintable() else ascii(name[:80])
        for check, args in ((texts.variable_name, (name,)), (texts.line_text, (f"Setvar: {name}=", value))):
            if what := _complaint(check, *args):
                yield Mistake(f"variables.{shown}", what)


def _playback(good: Mapping[str, Any]) -> Iterator[Mistake]:
    """Playback is on the administrator's list from the start, so its data is held to what `play` may be."""
    if good.get("application", "").lower() == "playback" and "data" in good:
        names, _, options = good["data"].partition(",")
        if what := _complaint(texts.sounds, names):
            yield Mistake("data", what)
        elif not set(options.split(",")) <= {"", "skip", "noanswer", "say", "mix"}:
            yield Mistake(
                "data", "Playback has no such option: after the comma stands skip, noanswer, say or mix."
            )


def _complaint(check: Any, *args: Any) -> str:
    try:
        check(*args)
    except ValueError as error:
        return str(error)
    return ""


def _times(good: Mapping[str, Any], now: datetime, mistakes: list[Mistake]) -> dict[str, Any]:
    times = {}
    for name in ("not_before", "not_after"):
        if name in good:
            try:
                times[name] = parse_when(good[name], now)
            except ValueError as error:
                mistakes.append(Mistake(name, str(error)))
    if len(times) == 2 and times["not_after"] <= times["not_before"]:
        mistakes.append(
            Mistake("not_after", "It is not later than not_before, so the call could never be made.")
        )
    return times


_Targets = list[tuple[Call, tuple[str, ...]]]
"""Calls, and the trunks that may take each, in order."""


def _calls(
    good: Mapping[str, Any], given: Collection[str], rules: Rules, mistakes: list[Mistake]
) -> _Targets:
    """One call per number, or one that rings them all. Adds what is wrong with the numbers, or not
    allowed."""
    caller = good.get("caller_id")
    fields: dict[str, Any] = {name: good[name] for name in _CALL_FIELDS if name in good}
    if "context" in good:
        fields.setdefault("extension", "s")
    fields |= {
        "variables": tuple(good.get("variables", {}).items()),
        "codecs": tuple(dict.fromkeys(good.get("codecs", ()))),
        "caller_id_name": caller and caller.name,
        "caller_id_number": caller and caller.number,
    }
    if "channel" in good:
        channels = _once("channel", good["channel"], mistakes)
        together = Call(**fields, channel="&".join(channels))
        ways: tuple[str, ...] = ("",)
        calls = [(replace(together, channel=channel), ways) for channel in channels]
    else:
        numbers, all_ways = _numbers(good, given, rules, mistakes)
        ways = tuple(way for way in all_ways[0] if all(way in each for each in all_ways)) if all_ways else ()
        together = Call(**fields, to=tuple(numbers), trunk=ways[0] if ways else None)
        calls = [
            (replace(together, to=(number,), trunk=each[0] if each else None), each)
            for number, each in zip(numbers, all_ways, strict=True)
        ]
    mistakes += refusals(together, rules)
    mistakes += priority_refused(good.get("priority", DEFAULT_PRIORITY), rules)
    if together.extension is not None and is_emergency(together.extension, rules.default_country):
        what = f"{together.extension} is an emergency number: dialerd never calls those."
        mistakes.append(Mistake("extension", what, "emergency"))
    if good.get("ring") == "any" and len(calls) > 1:
        mistakes += _cannot_ring(together, ways, rules)
        return [(together, ways)]
    return calls or [(together, ways)]


def _numbers(
    good: Mapping[str, Any], given: Collection[str], rules: Rules, mistakes: list[Mistake]
) -> tuple[list[str], list[tuple[str, ...]]]:
    """The numbers as they are dialled, and the ways of each; "?" and no way for each that has a mistake."""
    if "to" not in good or ("trunk" in given and "trunk" not in good):
        return [], []
    wanted, caller = good.get("trunk"), good.get("caller_id")
    if (what := _complaint(trunk_for, wanted, rules)) and (wanted or not rules.trunks):
        mistakes.append(Mistake("trunk", what))
        return [], []
    numbers, ways = [], []
    for index, text in enumerate(good["to"]):
        try:
            number, each = ways_for(text, wanted, caller and caller.number, rules)
        except ValueError as error:
            number, each = f"?{index}", ()
            where = "to" if len(good["to"]) == 1 else f"to.{index}"
            mistakes.append(Mistake(where, str(error), getattr(error, "rule", "")))
        numbers.append(number)
        ways.append(each)
    return _once("to", numbers, mistakes), ways


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
    if any(number.startswith("?") for number in call.to):
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
        if _complaint(texts.line_text, f"Setvar: {name}=", value):
            yield Mistake(
                "ring", f"These are too many to ring at once: they fill more than {texts.LINE_BYTES} bytes."
            )


def _channels(way: str, rules: Rules) -> int | None:
    trunk = rules.trunks.get(way)
    return None if trunk is None else trunk.max_channels


def _too_much(document: Mapping[str, Any], count: int) -> Iterator[Mistake]:
    if count == 1:
        return
    shared = {name: value for name, value in document.items() if name not in ("to", "channel")}
    size = len(json.dumps(shared, separators=(",", ":"), ensure_ascii=False).encode())
    if size * count > MOST_BYTES:
        yield Mistake(
            "to" if "to" in document else "channel",
            f"These are {count} jobs of {size} bytes each: {MOST_BYTES} bytes are the most from one document."
            f" Split it into several, with {MOST_BYTES // size} numbers each at most.",
        )


def _one_per_call(draft: Draft, targets: _Targets, document: Mapping[str, Any]) -> list[Draft]:
    body = {name: value for name, value in document.items() if name != "key"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    if len(targets) == 1:
        (call, ways) = targets[0]
        return [replace(draft, call=call, ways=ways, digest=sha256(text).digest())]
    batch = draft.batch or draft.key or secrets.token_hex(8)
    return [
        replace(
            draft,
            call=call,
            ways=ways,
            digest=sha256(b"%b\n%d" % (text, index)).digest(),
            key=draft.key and f"{draft.key}/{index}",
            batch=batch,
        )
        for index, (call, ways) in enumerate(targets, 1)
    ]
