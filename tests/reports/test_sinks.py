"""Whole ways from an event to a receiver, a file or a program."""

import json
import os
import stat
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Verifier

from dialerd.core.reporting import JobUrls, ReportSettings, Results, Wanted, Webhook
from dialerd.core.states import State
from dialerd.reports.body import body
from dialerd.reports.ports import Report
from tests.reports.receiver import Receiver, hangs, receiving
from tests.reports.world import NOW, SECRET, World, a_job, an_attempt
from tests.waiting import until


def webhook(receiver: Receiver, **changes: object) -> ReportSettings:
    made = Webhook("crm", receiver.url, SECRET, allow_private=True, timeout=5)
    return ReportSettings(webhooks=(replace(made, **changes),))  # type: ignore[arg-type]


def test_a_receiver_can_verify_what_it_is_sent(world: World) -> None:
    world.clock.at = datetime.now(UTC)
    with receiving() as receiver, world.reporting(settings=webhook(receiver)):
        job = world.desk.add(reason="ANSWERED", job=a_job(key="invoice-7", tags=("a", "b"), batch="monday"))
        until(lambda: receiver.received)
        [request] = receiver.received

    assert Verifier(SECRET).verify(request.body, request.headers) == {
        "id": "evt_1",
        "type": "call.completed",
        "timestamp": "2026-11-21T09:00:00.000Z",
        "data": {
            "job": {
                "id": job.id,
                "kind": "call",
                "owner": 1000,
                "key": "invoice-7",
                "batch": "monday",
                "tags": ["a", "b"],
                "to": ["+4930123456"],
                "created": "2026-11-21T09:00:00.000Z",
            },
            "state": "completed",
            "reason": "ANSWERED",
            "attempt": {
                "number": 1,
                "trunk": "main",
                "begun": "2026-11-21T08:59:51.000Z",
                "ended": "2026-11-21T09:00:00.000Z",
                "disposition": "ANSWERED",
                "hangup_cause": 16,
                "ring_seconds": 1.5,
                "talk_seconds": 4.0,
            },
        },
    }
    assert request.headers["webhook-id"] == "evt_1"


def test_a_repetition_says_the_same_under_the_same_id(world: World) -> None:
    with receiving(answers=[500]) as receiver, world.reporting(settings=webhook(receiver)):
        job = world.desk.add("failed")
        until(lambda: world.tries() == [1])
        world.desk.kept[job.id] = (
            replace(job, state=State.SUBMITTED, updated=NOW + timedelta(hours=1), attempts=2),
            [an_attempt(job), an_attempt(job, 2, NOW + timedelta(minutes=5))],
        )
        world.move(5)
        until(lambda: len(receiver.received) == 2)
        first, second = receiver.received

    assert first.body == second.body
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]


def test_a_receiver_that_answers_500_for_a_day_gets_everything_in_order_of_each_job(world: World) -> None:
    with (
        receiving(otherwise=500) as receiver,
        world.reporting(settings=webhook(receiver)) as reporter,
    ):
        jobs = [world.desk.add("held") for _ in range(3)]
        for job in jobs:
            world.desk.add("completed", job)
        until(lambda: sum(world.tries()) == 3)
        for seconds in (301, 1801, 7201, 18001, 36001, 50401):
            tries = sum(world.tries())
            world.move(seconds)
            until(lambda tries=tries: sum(world.tries()) > tries)
        receiver.otherwise = 200
        refused = len(receiver.received)
        world.move(60000)
        until(lambda: reporter.figures()["webhooks.crm"]["delivered"] == 6)
        delivered = [(each.job, each.json["type"]) for each in receiver.received[refused:]]

    assert {job: [type for each, type in delivered if each == job] for job, _ in delivered} == {
        job.id: ["call.held", "call.completed"] for job in jobs
    }


def test_events_tags_and_batches_choose_what_a_webhook_is_told(world: World) -> None:
    wanted = Wanted(events=("failed",), tags=("vip*",), batches=("mon*",))
    with receiving() as receiver, world.reporting(settings=webhook(receiver, wanted=wanted)):
        world.desk.add("failed", a_job(1, tags=("vip1",), batch="tuesday"))
        world.desk.add("failed", a_job(2, tags=("other",), batch="monday"))
        world.desk.add("completed", a_job(3, tags=("vip1",), batch="monday"))
        world.desk.add("failed", a_job(4, tags=("x", "vip1"), batch="monday"))
        until(lambda: receiver.received)

    assert [each.job for each in receiver.received] == [a_job(4).id]


def test_a_webhook_that_leads_home_is_not_called_without_leave(world: World) -> None:
    with receiving() as receiver:
        url = receiver.url.replace("127.0.0.1", "localhost")
        with world.reporting(settings=webhook(receiver, url=url, allow_private=False)):
            world.desk.add()
            until(lambda: world.tries() == [1])

        assert "not on the public internet" in world.waiting()[0].last_error
        assert receiver.connections == []


def test_a_report_url_of_a_job_is_told_of_that_job_alone(world: World) -> None:
    with receiving() as receiver:
        allowed = (receiver.url,)
        settings = ReportSettings(job_urls=JobUrls(allowed, SECRET, allow_private=True, timeout=5))
        with world.reporting(settings=settings):
            world.desk.add(job=a_job(1))
            world.desk.add(job=a_job(2, report_url=f"{receiver.url}/2?token=x"))
            until(lambda: receiver.received)

        assert [(each.path, each.job) for each in receiver.received] == [("/hook/2?token=x", a_job(2).id)]


def test_a_report_url_that_is_not_allowed_any_more_is_given_up(world: World) -> None:
    with receiving() as receiver:
        allowed = (f"{receiver.url}/new",)
        settings = ReportSettings(job_urls=JobUrls(allowed, SECRET, allow_private=True))
        with world.reporting(settings=settings):
            world.desk.add(job=a_job(2, report_url=f"{receiver.url}/old"))
            until(world.dead)

        assert "not allowed" in world.dead()[0].last_error
        assert receiver.connections == []


def test_a_dead_report_url_of_one_user_delays_no_other_host(world: World) -> None:
    with receiving(otherwise=hangs) as dead, receiving() as well:
        urls = JobUrls((dead.url, well.url), SECRET, allow_private=True, timeout=20)
        with world.reporting(settings=ReportSettings(job_urls=urls)):
            for number in range(1, 21):
                world.desk.add(job=a_job(number, report_url=(dead if number % 2 else well).url))
            until(lambda: len(well.received) == 10)
            dead.over.set()


def results(world: World, folder: Path, **changes: object) -> ReportSettings:
    return ReportSettings(results=replace(Results(folder), **changes))  # type: ignore[arg-type]


def test_each_ended_job_gets_a_file_with_its_attempts(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    with world.reporting(settings=results(world, folder, mode=0o604, group=str(os.getegid()))):
        world.desk.add("held", a_job(1))
        job = world.desk.add("completed", a_job(2))
        file = folder / f"{job.id}.json"
        until(file.exists)
        until(lambda: world.store.listing() == [])

    assert [path.name for path in folder.iterdir()] == [file.name]
    found = json.loads(file.read_text())
    assert (found["id"], found["state"], found["attempts"][0]["disposition"]) == (
        job.id,
        "completed",
        "ANSWERED",
    )
    assert stat.S_IMODE(file.stat().st_mode) == 0o604


def test_a_file_that_a_crash_left_half_is_replaced(world: World, tmp_path: Path) -> None:
    (tmp_path / f".{a_job(1).id}.json.tmp").write_text("half")
    with world.reporting(settings=results(world, tmp_path)):
        world.desk.add(job=a_job(1))
        until((tmp_path / f"{a_job(1).id}.json").exists)

    assert not list(tmp_path.glob(".*"))


def test_a_results_folder_that_is_missing_is_told_and_waited_for(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    with world.reporting(settings=results(world, folder)) as reporter:
        job = world.desk.add()
        for tries, seconds in ((1, 5), (2, 300), (3, 1800)):
            until(lambda tries=tries: world.tries() == [tries])
            problems = reporter.problems()
            if tries == 3:
                folder.mkdir()
            world.move(seconds)
        until((folder / f"{job.id}.json").exists)

    assert problems == [
        f"1 reports wait for results: {folder} can't be written to: No such file or directory."
        " It must be there, and dialerd's to write."
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk")
def test_a_full_disk_leaves_nothing_half_written(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "results"
    folder.mkdir()
    half = folder / f".{a_job(1).id}.json.tmp"
    half.mkdir()  # as good as a disk that takes no file
    with world.reporting(settings=results(world, folder)):
        world.desk.add(job=a_job(1))
        until(lambda: world.tries() == [1])

    assert list(folder.glob("*.json")) == []


def test_a_body_leaves_out_what_was_never_there() -> None:
    from dialerd.core.model import Event

    event = Event(9, NOW, a_job(1).id, "expired", {"state": "expired", "reason": "not_after", "extra": 1})

    found = json.loads(body(Report(event, a_job(1), [])))

    assert found["data"]["details"] == {"extra": 1}
    assert "attempt" not in found["data"]
    assert "PIN" not in json.dumps(found)
