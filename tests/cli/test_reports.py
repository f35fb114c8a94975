"""dialerctl reports, before a real Api."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.running import ctl, lines
from tests.reports.serving import ReportsServed, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ReportsServed]:
    with serving(tmp_path) as served:
        yield served


def test_the_sinks_and_what_waits_are_listed(served: ReportsServed) -> None:
    shown = ctl(served, "reports", "list")

    assert shown.exit_code == 0
    assert "webhooks.crm: 0 delivered, 2 pending, 1 given up" in shown.stdout
    assert "results: 0 delivered, 0 pending, 0 given up" in shown.stdout
    assert [word in shown.stdout for word in ("evt_1", "evt_2", "evt_3", "it is away")] == [True] * 4


def test_the_dead_are_listed_alone_as_json(served: ReportsServed) -> None:
    [dead] = lines(ctl(served, "reports", "list", "--dead", "--json"))

    assert (dead["id"], dead["dead"], dead["why"]) == ("evt_1", True, "it is away")


def test_one_sink_is_listed_alone(served: ReportsServed) -> None:
    shown = ctl(served, "reports", "list", "--sink", "results")

    assert "webhooks.crm" not in shown.stdout


def test_a_cut_list_says_so(served: ReportsServed) -> None:
    shown = ctl(served, "reports", "list", "--limit", "2")

    assert "--limit 0 lists all" in shown.stderr


def test_what_was_given_up_is_tried_again(served: ReportsServed) -> None:
    said = ctl(served, "reports", "retry", "webhooks.crm")

    assert said.stdout.startswith("1 that was given up will be tried again")
    assert lines(ctl(served, "reports", "retry", "--json")) == [{"revived": 0}]
    assert lines(ctl(served, "reports", "list", "--dead", "--json")) == []


def test_a_sink_that_there_is_not_is_told(served: ReportsServed) -> None:
    said = ctl(served, "reports", "retry", "webhooks.crn")

    assert said.exit_code == 65
    assert 'Did you mean "webhooks.crm"?' in said.stderr
