import threading
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from dialerd.core import ids
from dialerd.core.model import Event
from dialerd.reports.ports import Report
from dialerd.reports.reporter import PAGE
from tests.reports.world import NOW, Dead, ReportDesk, StubSink, World, a_job
from tests.waiting import until

DAY_S = 86400


def seen(world: World, count: int) -> bool:
    """Whether so many reports wait and each was tried."""
    tries = world.tries()
    return len(tries) == count and all(tries)


def test_every_event_that_is_wanted_is_delivered_once(world: World) -> None:
    sink = StubSink()
    with world.reporting(sink) as reporter:
        for type in ("accepted", "completed", "leased", "failed", "held"):
            world.desk.add(type)
        until(lambda: reporter.figures()["stub"]["delivered"] == 3)

    assert sorted(sink.told_events()) == [2, 4, 5]
    assert world.store.listing() == []


def test_a_new_sink_is_told_of_nothing_old(world: World) -> None:
    world.desk.add()
    sink = StubSink()
    with world.reporting(sink):
        world.desk.add()
        until(lambda: sink.told)

    assert sink.told_events() == [2]


def test_what_happened_while_dialerd_was_down_is_told(world: World) -> None:
    with world.reporting(StubSink()):
        pass
    world.desk.add()
    sink = StubSink()
    with world.reporting(sink):
        until(lambda: sink.told)

    assert sink.told_events() == [1]


def test_a_failed_report_is_tried_again_as_planned_until_the_receiver_is_back(world: World) -> None:
    dead = Dead()
    sink = StubSink(says=dead)
    with world.reporting(sink) as reporter:
        world.desk.add()
        for tries, seconds in enumerate((5, 300, 1800, 7200, 18000), 1):
            until(lambda tries=tries: world.tries() == [tries])
            assert [each.next_at - world.clock.at for each in world.waiting()] == [timedelta(seconds=seconds)]
            world.move(seconds)
        until(lambda: world.tries() == [6])
        dead.well = True
        world.move(36000)
        until(lambda: reporter.figures()["stub"]["delivered"] == 1)

    assert sink.told_events() == [1] * 7
    assert reporter.problems() == []


def test_a_report_is_not_tried_before_its_time(world: World) -> None:
    sink = StubSink(says=Dead(wide=False))
    with world.reporting(sink):
        world.desk.add()
        until(lambda: world.tries() == [1])
        world.move(4)
        other = world.desk.add()
        until(lambda: seen(world, 2))

    assert [report.job.id for report in sink.told].count(other.id) == 1
    assert len(sink.told) == 2


def test_a_report_is_given_up_in_the_end_and_told_of(world: World) -> None:
    with world.reporting(StubSink(says=Dead(), give_up_after=10)) as reporter:
        world.desk.add()
        until(lambda: world.tries() == [1])
        world.move(5)
        until(world.dead)
        problems = reporter.problems()

    [given_up] = world.dead()
    assert (given_up.tries, given_up.last_error) == (2, "it is away")
    assert problems == ["1 reports to stub were given up: see dialerctl reports list --dead."]


def test_a_final_refusal_gives_a_report_up_at_once(world: World) -> None:
    with world.reporting(StubSink(says=Dead(final=True))):
        world.desk.add()
        until(world.dead)

    assert world.dead()[0].tries == 1


def test_a_report_given_up_is_delivered_on_request(world: World) -> None:
    dead = Dead(final=True)
    with world.reporting(StubSink(says=dead)) as reporter:
        world.desk.add()
        until(world.dead)
        dead.well = True
        revived = reporter.retry("stub")
        until(lambda: reporter.figures()["stub"]["delivered"] == 1)

    assert revived == 1
    assert world.store.listing() == []


def test_the_events_of_a_job_are_told_in_order_whatever_fails(world: World) -> None:
    dead = Dead(wide=False)
    sink = StubSink(says=lambda report: dead(report) if report.event.type == "held" else None)
    with world.reporting(sink) as reporter:
        job = world.desk.add("held")
        world.desk.add("failed", job)
        other = world.desk.add("completed")
        until(lambda: reporter.figures()["stub"]["delivered"] == 1)
        assert {report.job.id for report in sink.told} == {job.id, other.id}
        dead.well = True
        world.move(5)
        until(lambda: reporter.figures()["stub"]["delivered"] == 3)

    assert [each.event.type for each in sink.told if each.job.id == job.id] == ["held", "held", "failed"]


def test_a_sink_that_hangs_delays_no_other(world: World) -> None:
    over = threading.Event()
    hanging = StubSink(name="hanging", says=lambda _: over.wait(20))
    sink = StubSink()
    with world.reporting(hanging, sink) as reporter:
        for _ in range(30):
            world.desk.add()
        until(lambda: reporter.figures()["stub"]["delivered"] == 30)
        assert reporter.figures()["hanging"]["pending"] == 30
        assert len(hanging.told) == 4
        over.set()
        until(lambda: reporter.figures()["hanging"]["delivered"] == 30)

    assert hanging.most == 4


def test_one_report_that_always_fails_delays_no_other_job(world: World) -> None:
    sink = StubSink(says=lambda report: Dead(wide=False)(report) if report.event.id == 1 else None)
    with world.reporting(sink) as reporter:
        for _ in range(20):
            world.desk.add()
        until(lambda: reporter.figures()["stub"]["delivered"] == 19)

    assert [each.event for each in world.waiting()] == [1]


def test_a_sink_that_is_away_is_probed_by_one_report_at_a_time(world: World) -> None:
    dead = Dead()
    sink = StubSink(says=dead)
    with world.reporting(sink) as reporter:
        for _ in range(10):
            world.desk.add()
        until(lambda: sum(world.tries()) == 4)
        for probes in (5, 6, 7):
            world.move(301)
            until(lambda probes=probes: sum(world.tries()) == probes)
        problems = reporter.problems()
        dead.well = True
        world.move(301)
        until(lambda: reporter.figures()["stub"]["delivered"] == 10)

    assert problems == ["10 reports wait for stub: it is away"]
    assert reporter.problems() == []


def test_what_waited_too_long_for_a_sink_that_is_away_is_given_up_untried(world: World) -> None:
    with world.reporting(StubSink(says=Dead())) as reporter:
        for _ in range(50):
            world.desk.add()
        until(lambda: sum(world.tries()) >= 4)
        world.move(3 * DAY_S + 1)
        until(lambda: reporter.figures()["stub"]["dead"] == 50)

    assert world.waiting() == []


def test_after_a_restart_only_the_rest_is_told(world: World, tmp_path: Path) -> None:
    dead = Dead(wide=False)
    first = StubSink(says=lambda report: dead(report) if report.event.id % 2 else None)
    with world.reporting(first) as reporter:
        for _ in range(10):
            world.desk.add()
        until(lambda: reporter.figures()["stub"]["delivered"] == 5 and seen(world, 5))
    world.store.close()

    again = World(tmp_path, world.desk, world.clock)
    second = StubSink()
    again.clock.move(5)
    with again.reporting(second) as reporter:
        until(lambda: reporter.figures()["stub"]["delivered"] == 10)

    assert sorted(second.told_events()) == [1, 3, 5, 7, 9]
    again.store.close()


def test_a_report_on_its_way_when_dialerd_ends_is_told_again(world: World, tmp_path: Path) -> None:
    over = threading.Event()
    first, second = StubSink(says=lambda _: over.wait(20)), StubSink()
    reporter = world.make(first)
    reporter.start()
    world.desk.add()
    until(lambda: first.told)
    reporter.stop(0.1)
    world.store.close()

    again = World(tmp_path, world.desk, world.clock)
    with again.reporting(second):
        until(lambda: second.told)
    over.set()
    again.store.close()

    assert second.told_events() == [1]


def test_a_sink_that_is_no_longer_configured_is_forgotten(world: World) -> None:
    with world.reporting(StubSink(says=Dead())):
        world.desk.add()
        until(lambda: world.tries() == [1])
    with world.reporting(StubSink(name="other")) as reporter:
        figures = reporter.figures()

    assert list(figures) == ["other"]
    assert world.store.listing() == []


def test_a_report_whose_job_is_forgotten_is_dropped(world: World) -> None:
    dead = Dead(wide=False)
    with world.reporting(StubSink(says=dead)) as reporter:
        job = world.desk.add()
        until(lambda: world.tries() == [1])
        del world.desk.kept[job.id]
        world.move(5)
        until(lambda: world.store.listing() == [])

        assert reporter.figures()["stub"] == {"pending": 0, "dead": 0, "delivered": 0}


def test_a_queue_that_was_set_back_is_followed_on_from_there(world: World) -> None:
    world.store.add_sink("stub", 1000)
    sink = StubSink()
    with world.reporting(sink):
        world.desk.add()
        until(lambda: sink.told)

    assert sink.told_events() == [1]


def test_a_clock_that_goes_back_does_not_hold_reports_up(world: World) -> None:
    dead = Dead(wide=False)
    sink = StubSink(says=dead)
    with world.reporting(sink) as reporter:
        world.desk.add()
        until(lambda: world.tries() == [1])
        dead.well = True
        world.move(-30 * DAY_S)
        until(lambda: reporter.figures()["stub"]["delivered"] == 1)


def test_a_bug_of_ours_in_a_sink_costs_one_try_and_no_more(world: World) -> None:
    def break_(report: Report) -> None:
        if report.event.id == 1:
            raise ZeroDivisionError

    with world.reporting(StubSink(says=break_)) as reporter:
        world.desk.add()
        world.desk.add()
        until(lambda: reporter.figures()["stub"]["delivered"] == 1 and world.tries() == [1])

    assert "its log says more" in world.waiting()[0].last_error


def test_a_store_that_can_not_be_written_is_told_and_gone_on_with(world: World) -> None:
    sink = StubSink()
    with world.reporting(sink) as reporter:
        world.store._db.execute("PRAGMA query_only = 1")
        world.desk.add()
        until(lambda: any("can't be written" in each for each in reporter.problems()))
        world.store._db.execute("PRAGMA query_only = 0")
        reporter.wake()
        until(lambda: reporter.figures()["stub"]["delivered"] == 1)

    assert sink.told_events() == [1]


class _Endless(Sequence[Event]):
    """A million events that are made when they are read."""

    def __init__(self, count: int) -> None:
        self.count = count

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, place: object) -> object:
        assert isinstance(place, slice)
        return self._from(place.start)

    def _from(self, start: int) -> Iterator[Event]:
        for number in range(start + 1, self.count + 1):
            yield Event(number, NOW, ids.to_text(number), "completed", {"state": "completed"})


@pytest.mark.parametrize("count", [1_000_000])
def test_events_behind_a_dead_sink_are_read_in_bounded_pages(world: World, count: int) -> None:
    class Desk(ReportDesk):
        def job(self, job_id: str) -> object:  # type: ignore[override]
            return a_job(ids.to_number(job_id)), []

    world.desk = Desk()
    world.store.add_sink("stub", 0)
    world.desk.log = _Endless(count)  # type: ignore[assignment]
    with world.reporting(StubSink(says=Dead())) as reporter:
        until(lambda: reporter.figures()["stub"]["pending"] > 20 * PAGE)

    assert max(world.desk.pages) == PAGE
    assert reporter.oldest_needed() == 0
