"""dialerctl qshape, stats, export, purge and redact, before a real Api and a real store; and their routes."""

import csv
import io
import json
import os
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.cli.export import COLUMNS, guarded
from dialerd.core.model import Attempt, Call, Disposition, Job, Result
from dialerd.core.states import ENDED, State
from dialerd.engine.retention import Retention, RetentionSettings, Tidy
from dialerd.store.figures import Figures
from dialerd.store.sqlite import SqliteStore
from tests.cli.running import ctl, lines
from tests.intake.serving import Served

DAY = timedelta(days=1)
UID = os.getuid()


def now() -> datetime:
    """The time; asked for anew by each test, since a suite takes long."""
    return datetime.now(UTC)


class Place(Served):
    """An Api whose figures are those of a real store."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / "s")
        self.store = SqliteStore(folder)
        figures, tidying = Figures(folder), Retention(self.store, RetentionSettings(step=2), lambda: None)

        def tidy(*asked: Any) -> "Future[Any]":
            message = Tidy(*asked)
            with self.store.transaction():
                message.answer.set_result(tidying.asked(message, now()))
            return message.answer

        self.figures = figures
        self.desk.figures, self.desk.tidy = figures, tidy  # type: ignore[attr-defined]

    def job(self, at: datetime | None = None, **changes: Any) -> Job:
        call = Call(to=("+4930123456",), trunk="main", play="hello-world", variables=(("NAME", "Anna"),))
        at = at or now()
        job = Job(self.store.new_id(at), UID, State.QUEUED, call, at, at, ways=("main",), way="main")
        job = replace(job, **changes)
        with self.store.transaction():
            self.store.add_job(job, b"digest")
        return job

    def call(
        self, disposition: Disposition = Disposition.ANSWERED, at: datetime | None = None, **changes: Any
    ) -> Job:
        """A job that was called once."""
        at = at or now()
        state = State.COMPLETED if disposition is Disposition.ANSWERED else State.FAILED
        job = self.job(at, **{"state": state, "attempts": 1, "disposition": disposition, **changes})
        result = Result(disposition, hangup_cause=16, ring_seconds=4.0, talk_seconds=12.0)
        with self.store.transaction():
            self.store.save_attempt(Attempt(job.id, 1, "main", "PJSIP/1@x", at, at, at, result=result))
        return job


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path) as running:
        yield running
    running.figures.close()
    running.store.close()


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_queues_shape_is_drawn_as_postfix_does(place: Place) -> None:
    place.job(now() - timedelta(days=9), way="alpha")
    place.job(now() - timedelta(minutes=15), way="alpha")
    place.job()
    result = ctl(place, "qshape")
    assert [" ".join(line.split()) for line in result.stdout.splitlines()] == [
        "TRUNK T 5 10 20 40 80 160 320 640 1280 1280+",
        "TOTAL 3 1 0 1 0 0 0 0 0 0 1",
        "alpha 2 0 0 1 0 0 0 0 0 0 1",
        "main 1 1 0 0 0 0 0 0 0 0 0",
    ]


def test_the_shape_of_one_state_is_told_as_json(place: Place) -> None:
    place.job()
    place.job(state=State.HELD)
    (found,) = lines(ctl(place, "qshape", "--state", "held", "--json"))
    assert (found["states"], found["total"], found["trunks"][0]["trunk"]) == (["held"], 1, "main")


def test_the_shape_of_an_empty_queue_is_all_zeroes(place: Place) -> None:
    result = ctl(place, "qshape")
    assert result.stdout.splitlines()[1].split() == ["TOTAL", *["0"] * 11]


def test_a_state_that_is_none_is_refused_with_the_nearest(place: Place) -> None:
    result = ctl(place, "qshape", "--state", "hold")
    assert result.exit_code == 65
    assert 'Did you mean "held"?' in result.stderr


def test_stats_show_rates_and_means(place: Place) -> None:
    at = now() - timedelta(hours=2)
    place.call(at=at)
    place.call(Disposition.BUSY, at=at)
    result = ctl(place, "stats")
    head, row = (line.split() for line in result.stdout.splitlines())
    assert head[:5] == ["FROM", "TRUNK", "DIALLED", "ANSWERED", "RATE"]
    assert row[2:] == ["main", "2", "1", "50.0%", "4.0", "12.0", "1", "BUSY"]
    assert result.stderr == "2 dialled, 1 answered, 50.0%\n"


def test_stats_go_as_far_back_as_is_asked(place: Place) -> None:
    place.call(at=now() - 2 * DAY)
    day, week = (lines(ctl(place, "stats", "--since", since, "--json")) for since in ("24h", "7d"))
    assert (day, [row["dialled"] for row in week]) == ([], [1])


def test_a_period_that_is_none_is_refused(place: Place) -> None:
    wrong = ctl(place, "stats", "--since", "yesterday")
    backwards = ctl(place, "stats", "--since", "1h", "--until", "2h")
    assert (wrong.exit_code, backwards.exit_code) == (2, 65)
    assert "how long ago: 90m, 24h, 30d" in wrong.stderr
    assert "lies before `until`" in backwards.stderr


def test_an_export_has_fixed_columns_and_the_last_attempt(place: Place) -> None:
    job = place.call(Disposition.BUSY, tags=("red", "blue"), batch="spring", key="order-7", reason="BUSY")
    result = ctl(place, "export")
    (row,) = rows(result.stdout)
    assert tuple(row) == COLUMNS
    assert (row["id"], row["to"], row["state"], row["disposition"]) == (
        job.id,
        "+4930123456",
        "failed",
        "BUSY",
    )
    assert (row["tags"], row["ring_seconds"], row["hangup_cause"]) == ("red blue", "4.0", "16")
    assert json.loads(row["variables"]) == {"NAME": "Anna"}


def test_an_export_goes_on_over_its_pages(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dialerd.client.figures._PAGE", 2)
    names = [place.job().id for _ in range(5)]
    result = ctl(place, "export", "--format", "ndjson")
    assert [row["id"] for row in lines(result)] == names[::-1]


def test_an_export_is_of_the_jobs_asked_for(place: Place) -> None:
    wanted = place.call(batch="spring")
    place.call(batch="autumn")
    place.job(batch="spring")
    result = ctl(place, "export", "--batch", "spring", "--state", "completed", "--json")
    (found,) = lines(result)
    assert (found["id"], found["last"]["disposition"]) == (wanted.id, "ANSWERED")


def test_an_export_is_of_the_period_asked_for(place: Place) -> None:
    place.job(now() - 3 * DAY)
    wanted = place.job(now() - 2 * DAY)
    place.job(now() - timedelta(hours=1))
    result = ctl(place, "export", "--since", "60h", "--until", "1d", "--json")
    assert [row["id"] for row in lines(result)] == [wanted.id]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("@SUM(1)", "'@SUM(1)"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("+4930123456+1", "'+4930123456+1"),
        ("\t=1", "'\t=1"),
        ("+4930123456", "+4930123456"),
        ("-1.5", "-1.5"),
        ("Anna", "Anna"),
    ],
)
def test_no_cell_is_a_formula_and_numbers_stay_numbers(cell: str, written: str) -> None:
    assert guarded(cell) == written


@given(st.text())
def test_no_spreadsheet_computes_what_a_user_wrote(text: str) -> None:
    written = guarded(text)
    assert written.removeprefix("'").endswith(text.removeprefix("'"))
    assert written[:1] not in ("=", "@", "\t", "\r", "\n")


def test_a_purge_goes_on_until_all_that_is_old_is_gone(place: Place) -> None:
    for _ in range(5):
        place.call(at=now() - 40 * DAY)
    new = place.call()
    result = ctl(place, "purge", "--older-than", "30d")
    left = rows(ctl(place, "export").stdout)
    assert result.stdout == "5 jobs removed\n"
    assert [row["id"] for row in left] == [new.id]


def test_a_dry_run_removes_nothing(place: Place) -> None:
    place.call(at=now() - 100 * DAY)
    place.call(Disposition.BUSY, at=now() - 100 * DAY)
    result = ctl(place, "purge", "--dry-run", "--state", "failed")
    assert result.stdout == "1 job would be removed\n"
    assert place.store.counts()[State.FAILED] == 1


def test_a_purge_takes_only_the_states_asked_for(place: Place) -> None:
    place.call(at=now() - 100 * DAY)
    place.call(Disposition.BUSY, at=now() - 100 * DAY)
    result = ctl(place, "purge", "--state", "failed", "--json")
    counts = place.store.counts()
    assert lines(result) == [{"count": 1}]
    assert (counts[State.FAILED], counts[State.COMPLETED]) == (0, 1)


def test_redaction_leaves_figures_and_takes_people(place: Place) -> None:
    place.call(at=now() - 40 * DAY)
    result = ctl(place, "redact", "--older-than", "30d")
    exported = ctl(place, "export").stdout
    assert result.stdout == "1 job redacted\n"
    assert rows(exported)[0]["disposition"] == "ANSWERED"
    assert "123456" not in exported
    assert "Anna" not in exported


BAD_BODIES = [
    (b"{", 400),
    ([], 422),
    ({}, 422),
    ({"before": 1}, 422),
    ({"before": "now", "states": ["queued"]}, 422),
    ({"before": "now", "states": "failed"}, 422),
    ({"before": "now", "cursor": "x"}, 422),
    ({"before": "now", "dry_run": "yes"}, 422),
    ({"before": "now", "older": 1}, 422),
    ({"before": "whenever"}, 422),
]


@pytest.mark.parametrize(("body", "status"), BAD_BODIES)
def test_a_purge_that_is_not_understood_removes_nothing(place: Place, body: Any, status: int) -> None:
    place.call(at=now() - DAY)
    heard = place.ask("POST", "/v1/purge", body)
    assert heard.status == status
    assert place.store.counts()[State.COMPLETED] == 1


BAD_QUERIES = [
    "/v1/qshape?state=x",
    "/v1/stats?by=week",
    "/v1/stats?since=2000-01-01T00:00:00Z",
    "/v1/stats?since=soon",
    "/v1/batches?limit=0",
    "/v1/batches?owner=anna",
    "/v1/jobs?last=2",
]


@pytest.mark.parametrize("target", BAD_QUERIES)
def test_a_question_that_is_not_understood_is_refused(place: Place, target: str) -> None:
    heard = place.ask("GET", target)
    assert (heard.status, heard.json["mistakes"][0]["where"].partition(".")[0]) == (422, "query")


def test_a_batch_is_told_by_its_name(place: Place) -> None:
    place.call(at=datetime.now(UTC), batch="spring / 1")
    place.job(batch="spring / 1")
    heard = place.ask("GET", "/v1/batches/spring%20%2F%201")
    assert (heard.status, heard.json["jobs"], heard.json["states"]) == (200, 2, {"completed": 1, "queued": 1})
    assert heard.json["eta_seconds"] == 60.0


def test_a_batch_that_is_not_there_is_said_to_be_so(place: Place) -> None:
    heard = place.ask("GET", "/v1/batches/spring")
    assert (heard.status, heard.json["detail"]) == (404, "There is no batch 'spring'.")


def test_batches_are_listed(place: Place) -> None:
    place.job(now() - DAY, batch="old")
    place.job(batch="new", owner=UID + 1)
    heard = place.ask("GET", "/v1/batches?limit=5")
    own = place.ask("GET", f"/v1/batches?owner={UID}")
    assert [(each["batch"], each["owner"]) for each in heard.json["batches"]] == [
        ("new", UID + 1),
        ("old", UID),
    ]
    assert [each["batch"] for each in own.json["batches"]] == ["old"]


def test_of_batches_with_one_name_the_callers_own_is_meant(place: Place) -> None:
    place.job(batch="spring")
    place.job(batch="spring", owner=UID + 1)
    own, other = (place.ask("GET", f"/v1/batches/spring{query}") for query in ("", f"?owner={UID + 1}"))
    assert (own.json["owner"], other.json["owner"]) == (UID, UID + 1)


def test_of_several_users_batches_one_must_be_named(place: Place) -> None:
    place.job(batch="spring", owner=UID + 1)
    alone = place.ask("GET", "/v1/batches/spring")
    place.job(batch="spring", owner=UID + 2)
    heard = place.ask("GET", "/v1/batches/spring")
    assert alone.json["owner"] == UID + 1
    assert (heard.status, heard.json["mistakes"][0]["where"]) == (422, "query.owner")


def test_pages_with_last_attempts_follow_each_other(place: Place) -> None:
    names = [place.call().id for _ in range(3)]
    first = place.ask("GET", "/v1/jobs?last=1&limit=2").json
    second = place.ask("GET", f"/v1/jobs?last=1&limit=2&cursor={first['next']}").json
    assert [job["id"] for job in [*first["jobs"], *second["jobs"]]] == names[::-1]
    assert second["next"] is None
    assert first["jobs"][0]["last"] == {
        **{"number": 1, "trunk": "main", "disposition": "ANSWERED", "hangup_cause": 16},
        **{"ring_seconds": 4.0, "talk_seconds": 12.0},
        **dict.fromkeys(("begun", "ended"), first["jobs"][0]["created"]),
    }


def test_a_purge_reaches_every_state_that_a_job_may_end_in(place: Place) -> None:
    for state in ENDED:
        place.job(now() - 100 * DAY, state=state)
    place.job(now() - 100 * DAY, state=State.HELD)
    ctl(place, "purge")
    assert {state: count for state, count in place.store.counts().items() if count} == {State.HELD: 1}
