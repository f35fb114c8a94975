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
from dialerd.core.policy import Rules, refusals
from dialerd.core.routing import channel_for, number_for, trunk_for
from dialerd.core.times import parse_when

EXACTLY_ONE = (
    (("to", "channel"), "Say whom to call: give to or channel."),
    (("play", "application", "context"), "Say what happens on answer: give play, application or context."),
)
ONLY_WITH = {"data": "application", "extension": "context", "dialplan_priority": "context", "trunk": "to"}

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
    calls = _calls(good, given, rules, mistakes)
    if not mistakes:
        mistakes += _too_much(document, len(calls))
    if mistakes:
        return []
    draft = Draft(
        call=calls[0],
        digest=b"",
        tags=tuple(dict.fromkeys(good.get("tags", ()))),
        on_doubt=OnDoubt(good.get("on_doubt", OnDoubt.HOLD)),
        **{name: good[name] for name in _DRAFT_FIELDS if name in good},
        **times,
    )
    return _one_per_call(draft, calls, document)


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


def _calls(
    good: Mapping[str, Any], given: Collection[str], rules: Rules, mistakes: list[Mistake]
) -> list[Call]:
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
        channels = "&".join(_once("channel", good["channel"], mistakes))
        together, each = Call(**fields, channel=channels), channels.split("&")
        calls = [replace(together, channel=channel) for channel in each] if len(each) > 1 else [together]
    else:
        trunk, numbers = _numbers(good, given, rules, mistakes)
        together = Call(**fields, to=numbers, trunk=trunk)
        calls = [replace(together, to=(number,)) for number in numbers] if len(numbers) > 1 else [together]
    mistakes += refusals(together, rules)
    if good.get("ring") == "any" and len(calls) > 1:
        mistakes += _too_many_to_ring(together, rules)
        return [together]
    return calls


def _numbers(
    good: Mapping[str, Any], given: Collection[str], rules: Rules, mistakes: list[Mistake]
) -> tuple[str | None, tuple[str, ...]]:
    """The trunk's name, and the numbers as it dials them."""
    if "to" not in good or ("trunk" in given and "trunk" not in good):
        return None, ()
    try:
        trunk = trunk_for(good.get("trunk"), rules)
    except ValueError as error:
        mistakes.append(Mistake("trunk", str(error)))
        return None, ()
    numbers = []
    for index, text in enumerate(good["to"]):
        try:
            numbers.append(number_for(text, trunk, rules.default_country))
        except ValueError as error:
            mistakes.append(Mistake("to" if len(good["to"]) == 1 else f"to.{index}", str(error)))
            numbers.append(f"?{index}")
    return trunk.name, tuple(_once("to", numbers, mistakes))


def _once(name: str, targets: list[str], mistakes: list[Mistake]) -> list[str]:
    if len(set(targets)) < len(targets):
        first: dict[str, int] = {}
        for index, target in enumerate(targets):
            if first.setdefault(target, index) != index:
                mistakes.append(
                    Mistake(f"{name}.{index}", f"This is the same as {name}.{first[target]}: keep one.")
                )
    return targets


def _too_many_to_ring(call: Call, rules: Rules) -> Iterator[Mistake]:
    if any(number.startswith("?") for number in call.to):
        return
    for name, value in channel_for(call, rules)[1]:
        if _complaint(texts.line_text, f"Setvar: {name}=", value):
            yield Mistake(
                "ring", f"These are too many to ring at once: they fill more than {texts.LINE_BYTES} bytes."
            )


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


def _one_per_call(draft: Draft, calls: list[Call], document: Mapping[str, Any]) -> list[Draft]:
    body = {name: value for name, value in document.items() if name != "key"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    if len(calls) == 1:
        return [replace(draft, digest=sha256(text).digest())]
    batch = draft.batch or draft.key or secrets.token_hex(8)
    return [
        replace(
            draft,
            call=call,
            digest=sha256(b"%b\n%d" % (text, index)).digest(),
            key=draft.key and f"{draft.key}/{index}",
            batch=batch,
        )
        for index, call in enumerate(calls, 1)
    ]
