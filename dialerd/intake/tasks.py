"""What a job asks of a provider: from a document's fields, each right in itself, to a script or a task."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from dialerd.core.documents import Paper
from dialerd.core.errors import Mistake
from dialerd.core.model import Call
from dialerd.core.numbers import parse_public
from dialerd.core.policy import Rules, orders_refused, senders_refused
from dialerd.core.routing import senders_of
from dialerd.core.steps import PRIVATE, parse_steps
from dialerd.core.tasks import Conference, Extra, Fax, Ivr, NumberOrder, Script, Sms, Task
from dialerd.core.times import parse_duration
from dialerd.intake.kinds import SCRIPT

Find = Callable[[str], Paper | None]
"""A document of the submitter's, by its id."""

LONGEST_S = 86400
_Fields = Mapping[str, Any]
_NO_CALL = Call()


def no_documents(_document: str) -> Paper | None:
    """What there is where none are kept."""
    return None


def script_of(good: _Fields, given: Collection[str], rules: Rules, mistakes: list[Mistake]) -> Script | None:
    """What a provider does with a call; None where the document says nothing of it. Adds mistakes."""
    if not any(verb in given for verb in SCRIPT):
        return None
    connect = None
    if "connect" in good:
        try:
            connect = parse_public(good["connect"], rules.default_country)
        except ValueError as error:
            mistakes.append(Mistake("connect", str(error), getattr(error, "rule", "")))
    return Script(
        connect=connect,
        flow=good.get("flow"),
        play_url=good.get("play_url"),
        say=good.get("say"),
        language=good.get("language"),
        longest=_longest(good, mistakes),
        record=good.get("record", False),
        extra=_extra(good),
    )


def task_of(kind: str, good: _Fields, rules: Rules, find: Find, mistakes: list[Mistake]) -> Task | None:
    """The task of a job that is no call. Adds mistakes; None where they leave nothing to look at."""
    match kind:
        case "sms":
            task: Task | None = _sms(good)
        case "fax":
            task = _fax(good, find, mistakes)
        case "conference":
            task = Conference(good.get("room"), _caller_id(good, mistakes), _extra(good))
        case "ivr":
            task = _ivr(good, rules, mistakes)
        case _:
            mistakes += orders_refused(rules)
            task = _order(good, rules, mistakes)
    if task is not None:
        where = "sender" if kind == "sms" else "caller_id"
        mistakes += senders_refused(where, senders_of(_NO_CALL, task), rules)
    return task


def _sms(good: _Fields) -> Sms:
    return Sms(
        body=good.get("body", ""),
        sender=good.get("sender"),
        media=tuple(good.get("media", ())),
        template=good.get("template"),
        urgent=good.get("urgent", False),
        bulk=good.get("bulk", False),
        extra=_extra(good),
    )


def _fax(good: _Fields, find: Find, mistakes: list[Mistake]) -> Fax | None:
    caller_id = _caller_id(good, mistakes)
    if "document_file" in good:
        what = "Only the drop folder has files beside the job's: upload it, and give document in its place."
        mistakes.append(Mistake("document_file", what))
    if "document" not in good:
        return None
    paper = find(good["document"])
    if paper is None:
        mistakes.append(
            Mistake(
                "document",
                "You have no such document here: upload it (again), and give the id that you are answered"
                " with. One that no job needs is kept for a day.",
            )
        )
        return None
    return Fax(
        paper.id,
        paper.media_type,
        paper.size,
        paper.pages,
        filename=good.get("filename"),
        caller_id=caller_id,
        header=good.get("header"),
        extra=_extra(good),
    )


def _ivr(good: _Fields, rules: Rules, mistakes: list[Mistake]) -> Ivr | None:
    caller_id, longest = _caller_id(good, mistakes), _longest(good, mistakes)
    given = good.get("steps")
    steps, wrong = parse_steps(given, "steps", rules.default_country) if given else ((), [])
    mistakes += wrong
    if wrong:
        return None
    return Ivr(steps, good.get("message"), caller_id, longest, extra=_extra(good))


def _order(good: _Fields, rules: Rules, mistakes: list[Mistake]) -> NumberOrder | None:
    if "order" not in good:
        return None
    subject = good.get("number", "")
    if not subject and good["order"] != "create-route":
        mistakes.append(Mistake("number", "Say which number it is about: give number."))
        return None
    if subject.startswith("+"):
        try:
            subject = parse_public(subject, rules.default_country)
        except ValueError as error:
            mistakes.append(Mistake("number", str(error)))
            return None
    return NumberOrder(good["order"], subject, tuple(good.get("details", {}).items()))


def _extra(good: _Fields) -> Extra:
    return tuple(good.get("extra", {}).items())


def _caller_id(good: _Fields, mistakes: list[Mistake]) -> str | None:
    """The number to be shown, or "private"."""
    caller = good.get("caller_id")
    if caller is None:
        return None
    if caller.number is None and caller.name == PRIVATE:
        return PRIVATE
    if caller.name is not None or caller.number is None:
        mistakes.append(Mistake("caller_id", f'Give a number without a name, or "{PRIVATE}" for none.'))
        return None
    return str(caller.number)


def _longest(good: _Fields, mistakes: list[Mistake]) -> int | None:
    value = good.get("longest")
    if value is None:
        return None
    try:
        seconds = value if isinstance(value, int) else _seconds(value)
        if not 1 <= seconds <= LONGEST_S:
            raise ValueError("It lies between one second and a day.")
    except ValueError as error:
        mistakes.append(Mistake("longest", str(error)))
        return None
    return seconds


def _seconds(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else parse_duration(text)
