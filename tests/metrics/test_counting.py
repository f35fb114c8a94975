"""How things are counted, and under which labels."""

import ast
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from dialerd.core.errors import (
    AccountRefused,
    Broken,
    DialerError,
    InvalidJob,
    KeyConflict,
    Mistake,
    NoSuchJob,
    NotPermitted,
    NotServed,
    Overloaded,
    Rejected,
    Unavailable,
    Unconfirmed,
)
from dialerd.core.model import Attempt, Call, Disposition, Job, Result
from dialerd.core.states import State
from dialerd.engine.ledger import EVENT_OF_STEP
from dialerd.metrics import Counts
from dialerd.metrics.counting import EVENTS, RULES

PROJECT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
JOB = Job("38fw7bp020000", 1000, State.QUEUED, Call(to=("+4930123456",)), NOW, NOW, way="main")
ATTEMPT = Attempt(
    JOB.id, 1, "main", "PJSIP/1@x", NOW, NOW + timedelta(seconds=1), NOW + timedelta(seconds=60)
)


class Counted:
    """Counts, and what they come to."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.counts = Counts(self.registry)
        self.counts.know(["main", "tw"], ["tw"])

    def __getitem__(self, asked: tuple[str, dict[str, str]]) -> float | None:
        return self.registry.get_sample_value(f"dialerd_{asked[0]}", asked[1])

    def changed(self) -> dict[str, dict[str, str]]:
        """The labels of the counters that are not 0, by name."""
        return {
            sample.name: sample.labels
            for metric in self.registry.collect()
            for sample in metric.samples
            if sample.value and sample.name.endswith("_total")
        }


@pytest.fixture
def counted() -> Counted:
    return Counted()


def test_a_job_is_counted_as_it_is_accepted_and_as_it_ends(counted: Counted) -> None:
    ended = replace(JOB, state=State.FAILED, updated=NOW + timedelta(seconds=90))

    counted.counts.noted(JOB, "accepted", {}, 0.0)
    counted.counts.noted(ended, "failed", {}, 1.0)

    assert counted["jobs_accepted_total", {"kind": "call"}] == 1
    assert counted["jobs_ended_total", {"kind": "call", "state": "failed"}] == 1
    assert counted["job_events_total", {"event": "failed"}] == 1
    assert counted["stage_seconds_sum", {"stage": "whole", "kind": "call"}] == 90


@pytest.mark.parametrize(("not_before", "waited"), [(None, 600), (480, 120), (-480, 600)])
def test_the_wait_begins_when_the_job_was_due(counted: Counted, not_before: int | None, waited: int) -> None:
    due = None if not_before is None else NOW + timedelta(seconds=not_before)
    leased = replace(JOB, state=State.ACTIVE, not_before=due, updated=NOW + timedelta(seconds=600))

    counted.counts.noted(leased, "leased", {}, 5.0)

    assert counted["stage_seconds_sum", {"stage": "wait", "kind": "call"}] == waited


@pytest.mark.parametrize(
    ("event", "stage"),
    [("submitted", "hand_over"), ("started", "begin"), ("ringing", "ring"), ("answered", "answer")],
)
def test_stages_end_with_their_event(counted: Counted, event: str, stage: str) -> None:
    counted.counts.noted(replace(JOB, state=State.SUBMITTED), event, {}, 3.0)

    assert counted["stage_seconds_sum", {"stage": stage, "kind": "call"}] == 3


def test_an_attempt_is_counted_by_way_and_disposition_with_what_was_talked(counted: Counted) -> None:
    result = Result(Disposition.ANSWERED, talk_seconds=42.0)

    counted.counts.attempted(JOB, ATTEMPT, result, 0.5)

    assert counted["attempts_total", {"way": "main", "disposition": "ANSWERED"}] == 1
    assert counted["talk_seconds_total", {"way": "main"}] == 42
    assert counted["stage_seconds_sum", {"stage": "attempt", "kind": "call"}] == 60
    assert counted["stage_seconds_sum", {"stage": "settle", "kind": "call"}] == 0.5


def test_an_attempt_without_a_result_is_in_doubt(counted: Counted) -> None:
    counted.counts.attempted(JOB, replace(ATTEMPT, ended=None), None, 0.0)

    assert counted.changed() == {"dialerd_attempts_total": {"way": "main", "disposition": "IN_DOUBT"}}


@pytest.mark.parametrize(
    ("way", "label"), [("main", "main"), ("gone", "other"), (None, "literal"), ("", "literal")]
)
def test_only_names_of_the_configuration_are_labels(counted: Counted, way: str | None, label: str) -> None:
    counted.counts.attempted(JOB, replace(ATTEMPT, trunk=way), Result(Disposition.BUSY), 0.0)

    assert counted["attempts_total", {"way": label, "disposition": "BUSY"}] == 1


def test_a_name_that_came_with_a_reload_is_a_label(counted: Counted) -> None:
    counted.counts.know(["new"], [])

    counted.counts.attempted(JOB, replace(ATTEMPT, trunk="new"), Result(Disposition.BUSY), 0.0)

    assert counted["attempts_total", {"way": "new", "disposition": "BUSY"}] == 1


@pytest.mark.parametrize(
    ("error", "rules"),
    [
        (
            InvalidJob([Mistake("to", "no", "do_not_call"), Mistake("to", "no", "do_not_call")]),
            {"do_not_call"},
        ),
        (InvalidJob([Mistake("to", "no", "premium"), Mistake("play", "no")]), {"premium", "mistake"}),
        (InvalidJob([Mistake("to", "no", "+4930123456")]), {"other"}),
        (NotPermitted("no"), {"role"}),
        (KeyConflict("+4930123456", "38fw7bp020000"), {"key"}),
        (Overloaded("full", 5), {"overloaded"}),
        (Broken("disk"), {"broken"}),
        (NoSuchJob("38fw7bp020000"), set()),
    ],
)
def test_refusals_are_counted_by_rule(counted: Counted, error: DialerError, rules: set[str]) -> None:
    counted.counts.refused("socket", error)

    told = {
        sample.labels["rule"]: sample.value
        for metric in counted.registry.collect()
        for sample in metric.samples
        if sample.name == "dialerd_refusals_total" and sample.value
    }
    assert told == dict.fromkeys(rules, 1)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "done"),
        (Rejected("no"), "rejected"),
        (NotServed("no"), "not_served"),
        (Unavailable("no"), "unavailable"),
        (AccountRefused("no"), "account_refused"),
        (Unconfirmed("no"), "unconfirmed"),
    ],
)
def test_requests_are_counted_by_outcome_class(counted: Counted, error: Any, outcome: str) -> None:
    counted.counts.asked("tw", True, error, 0.2)

    labels = {"provider": "tw", "purpose": "send"}
    assert counted["provider_requests_total", {**labels, "outcome": outcome}] == 1
    assert counted["provider_request_seconds_sum", labels] == 0.2


def test_all_counters_of_known_names_begin_at_zero(counted: Counted) -> None:
    assert counted["attempts_total", {"way": "tw", "disposition": "DELIVERED"}] == 0
    assert counted["provider_requests_total", {"provider": "tw", "purpose": "read", "outcome": "done"}] == 0
    assert counted["watch_losses_total", {"cause": "overflow"}] == 0


def noted_types() -> set[str]:
    """The types of events that the engine notes by name."""
    files = (PROJECT / "dialerd/engine").glob("*.py")
    calls = [
        each for path in files for each in ast.walk(ast.parse(path.read_text())) if isinstance(each, ast.Call)
    ]
    noted = [
        call.args[1] for call in calls if ast.unparse(call.func).endswith(".note") and len(call.args) > 1
    ]
    return {str(each.value) for each in noted if isinstance(each, ast.Constant)}


def test_every_event_of_the_engine_has_its_name_as_a_label() -> None:
    assert len(noted_types()) > 8
    assert noted_types() | set(EVENT_OF_STEP.values()) <= EVENTS


def test_every_rule_of_the_manual_is_a_label_but_for_those_that_wait() -> None:
    table = (PROJECT / "docs/api.md").read_text().split("\n## Rules\n")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = {rule for row in rows for rule in row.replace("`", "").replace(",", " ").split()}

    assert named - {"cap"} == RULES
