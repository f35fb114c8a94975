"""The public JSON of a job, its attempts and events: what users see, absent fields left out, times in UTC
with Z."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from dialerd.core.attempts import count
from dialerd.core.figures import AGES_MIN, BatchFigures, Shape, Stat
from dialerd.core.model import Attempt, Call, Event, Job, Terms
from dialerd.core.times import format_when
from dialerd.intake.present_tasks import of_script, of_task, provider_of


def present(job: Job, attempts: Sequence[Attempt] | None = None) -> dict[str, Any]:
    """The job as JSON-able values; with its attempts where they are handed in (`attempt_count` is always
    there). A redacted job says so."""
    shown: dict[str, Any] = {
        "id": job.id,
        "kind": job.kind,
        "state": job.state.value,
        "reason": job.reason,
        "requested": job.requested,
        "owner": job.owner,
        "key": job.key,
        "batch": job.batch,
        "tags": list(job.tags),
        "priority": job.priority,
        "created": format_when(job.created),
        "updated": format_when(job.updated),
        "not_before": job.not_before and format_when(job.not_before),
        "not_after": job.not_after and format_when(job.not_after),
        **_asked(job),
        "max_retries": job.max_retries,
        "retry_time": job.retry_time,
        "on_doubt": job.on_doubt.value,
        **_terms(job.terms),
        "trunks": list(job.ways) if len(job.ways) > 1 and job.kind == "call" else [],
        "ways": list(job.ways) if len(job.ways) > 1 else [],
        "disposition": job.disposition and job.disposition.value,
        "retries": job.retries,
        "attempt_count": count(job.attempts),
        "redacted": job.redacted or None,
    }
    if attempts is not None:
        shown["attempts"] = [present_attempt(attempt) for attempt in attempts]
    return {name: value for name, value in shown.items() if not _absent(value) or _tells(name, value)}


def _tells(name: str, value: object) -> bool:
    """Whether a field says something even where it is empty: no attempt yet; no header on a fax."""
    return name == "attempts" or (name == "header" and value == "")


def _asked(job: Job) -> dict[str, Any]:
    """What the job is to do."""
    if job.task is None:
        return {**_call(job.call), **of_script(job.call.script), "provider": provider_of(job)}
    return {"to": _one_or_all(job.call.to), "provider": provider_of(job), **of_task(job.task)}


def _absent(value: object) -> bool:
    return value is None or value == "" or value == [] or value == {}


def _call(call: Call) -> dict[str, Any]:
    channels = call.channel.split("&") if call.channel is not None else []
    caller = {"name": call.caller_id_name, "number": call.caller_id_number}
    return {
        "to": _one_or_all(call.to),
        "trunk": call.trunk,
        "channel": _one_or_all(channels),
        "ring": "any" if max(len(call.to), len(channels)) > 1 else None,
        "application": call.application,
        "data": call.data or None,
        "context": call.context,
        "extension": call.extension,
        "dialplan_priority": call.dialplan_priority if call.context is not None else None,
        "play": call.play,
        "caller_id": {name: value for name, value in caller.items() if value},
        "variables": dict(call.variables),
        "account": call.account,
        "wait_time": call.wait_time,
        "codecs": list(call.codecs),
        "early_media": call.early_media or None,
    }


def _terms(terms: Terms) -> dict[str, Any]:
    return {
        "hours": terms.hours or list(terms.windows),
        "recipient_timezone": terms.zone,
        "retry": terms.retry,
        "max_dials": terms.max_dials,
        "kill_after": terms.kill_after,
        "report_url": terms.report_url,
    }


def _one_or_all(texts: Sequence[str]) -> str | list[str] | None:
    return (texts[0] if len(texts) == 1 else list(texts)) if texts else None


def present_attempt(attempt: Attempt) -> dict[str, Any]:
    """One attempt as JSON-able values, by a trunk (`trunk`, `channel`) or a provider (`provider`, `ref`).
    Seconds are missing where nobody could see them."""
    by_provider = attempt.channel == ""
    shown: dict[str, Any] = {
        "number": attempt.number,
        "provider" if by_provider else "trunk": attempt.trunk,
        "channel": attempt.channel,
        "ref": attempt.ref,
        "begun": format_when(attempt.begun),
        "handed_over": attempt.handed_over and format_when(attempt.handed_over),
        "ended": attempt.ended and format_when(attempt.ended),
        **(asdict(attempt.result) if attempt.result else {}),
        "evidence": attempt.evidence,
    }
    return {name: value for name, value in shown.items() if not _absent(value)}


def present_event(event: Event) -> dict[str, Any]:
    """One event as JSON-able values."""
    return {
        "id": event.id,
        "at": format_when(event.at),
        "job": event.job,
        "type": event.type,
        "data": event.data,
    }


_LAST = (
    "number",
    "trunk",
    "provider",
    "ref",
    "disposition",
    "hangup_cause",
    "ring_seconds",
    "talk_seconds",
    "word",
    "price",
    "currency",
    "parts",
    "begun",
    "ended",
    "detail",
)


def present_last(attempt: Attempt) -> dict[str, Any]:
    """A job's newest attempt, as far as reports show it."""
    shown = present_attempt(attempt)
    return {name: shown[name] for name in _LAST if name in shown}


def present_batch(figures: BatchFigures) -> dict[str, Any]:
    """How far a batch has come; every member is there, null where there is nothing to say."""
    return {
        **asdict(figures),
        "created": format_when(figures.created),
        "first_dialled": figures.first_dialled and format_when(figures.first_dialled),
        "last_ended": figures.last_ended and format_when(figures.last_ended),
        "next": figures.next and format_when(figures.next),
    }


def present_shapes(shapes: Sequence[Shape]) -> dict[str, Any]:
    """How old the jobs of each trunk are; `ages` has a count for each of `minutes`, and one for the rest."""
    columns = [shape.ages for shape in shapes] or [(0,) * (len(AGES_MIN) + 1)]
    return {
        "minutes": list(AGES_MIN),
        "total": sum(shape.total for shape in shapes),
        "ages": [sum(column) for column in zip(*columns, strict=True)],
        "trunks": [{"trunk": each.trunk, "total": each.total, "ages": list(each.ages)} for each in shapes],
    }


def present_stat(stat: Stat) -> dict[str, Any]:
    """What a trunk's attempts of an hour or day came to; means are null where nothing was measured."""
    return {**asdict(stat), "begins": format_when(stat.begins)}
