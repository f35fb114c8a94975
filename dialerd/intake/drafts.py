"""From a document's fields, each right in itself, to drafts: what the fields mean together, and what the
rules allow."""

import json
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from dialerd.core import texts
from dialerd.core.errors import Mistake
from dialerd.core.model import Draft, OnDoubt
from dialerd.core.policy import Rules, priority_refused
from dialerd.core.times import parse_when
from dialerd.intake.kinds import CALL, together
from dialerd.intake.targets import Target, complaint, targets_of
from dialerd.intake.tasks import Find, no_documents
from dialerd.intake.terms import in_time, on_doubt_of, terms_of

DEFAULT_PRIORITY = Draft.__dataclass_fields__["priority"].default
MOST_BYTES = 4 * 1024 * 1024
"""What the jobs of one document hold together: each number is a job with all else of the document in it."""

_DRAFT_FIELDS = ("key", "batch", "priority", "max_retries", "retry_time")


def drafts(
    document: Mapping[str, Any],
    good: Mapping[str, Any],
    mistakes: list[Mistake],
    rules: Rules,
    now: datetime,
    find: Find = no_documents,
) -> list[Draft]:
    """One draft, or one per number; none where there are mistakes. Adds those that show only here.

    `good` holds those of the document's fields that are right in themselves; `find` knows what the submitter
    has uploaded.
    """
    given = document.keys()
    kind = good.get("kind", CALL)
    targets: list[Target] = []
    known = "kind" in good or "kind" not in given
    if known:
        mistakes += [*together(kind, given), *_ring(good)]
    mistakes += [*_variables(good.get("variables", {})), *_playback(good)]
    times = _times(good, now, mistakes)
    if known:
        targets = targets_of(kind, good, given, rules, find, mistakes)
    mistakes += priority_refused(good.get("priority", DEFAULT_PRIORITY), rules)
    terms = terms_of(good, rules, mistakes)
    if not mistakes:
        mistakes += _too_much(document, len(targets))
    if mistakes:
        return []
    draft = Draft(
        call=targets[0].call,
        digest=b"",
        tags=tuple(dict.fromkeys(good.get("tags", ()))),
        on_doubt=OnDoubt(good.get("on_doubt") or ("hold" if kind == "number" else on_doubt_of(good, rules))),
        terms=terms,
        **{name: good[name] for name in _DRAFT_FIELDS if name in good},
        **times,
    )
    made = _one_per_target(draft, targets, document)
    timed = [in_time(each, rules, now, mistakes) for each in made]
    return [] if mistakes else timed


def _ring(good: Mapping[str, Any]) -> Iterator[Mistake]:
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
            if what := complaint(check, *args):
                yield Mistake(f"variables.{shown}", what)


def _playback(good: Mapping[str, Any]) -> Iterator[Mistake]:
    """Playback is on the administrator's list from the start, so its data is held to what `play` may be."""
    if good.get("application", "").lower() == "playback" and "data" in good:
        names, _, options = good["data"].partition(",")
        if what := complaint(texts.sounds, names):
            yield Mistake("data", what)
        elif not set(options.split(",")) <= {"", "skip", "noanswer", "say", "mix"}:
            yield Mistake(
                "data", "Playback has no such option: after the comma stands skip, noanswer, say or mix."
            )


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


def _one_per_target(draft: Draft, targets: list[Target], document: Mapping[str, Any]) -> list[Draft]:
    body = {name: value for name, value in document.items() if name != "key"}
    text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    if len(targets) == 1:
        return [replace(draft, **_of(targets[0]), digest=sha256(text).digest())]
    batch = draft.batch or draft.key or secrets.token_hex(8)
    return [
        replace(
            draft,
            **_of(target),
            digest=sha256(b"%b\n%d" % (text, index)).digest(),
            key=draft.key and f"{draft.key}/{index}",
            batch=batch,
        )
        for index, target in enumerate(targets, 1)
    ]


def _of(target: Target) -> dict[str, Any]:
    return {"call": target.call, "task": target.task, "ways": target.ways}
