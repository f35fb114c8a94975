"""dialerctl on the Api's socket, real accounts behind it, and before them a provider over TLS.

In front of an answer may stand the log of the daemon's part, which runs in the tests' process.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialerd.providers.accounts import Accounts
from tests.cli.running import ctl
from tests.intake.asking import ProvidersServed
from tests.providers.cloud import Cloud, says
from tests.providers.sample import Sample
from tests.providers.samples import CANARY, account


@pytest.fixture
def served(cloud: Cloud, tmp_path: Path) -> Iterator[ProvidersServed]:
    with ProvidersServed(tmp_path / "s", Accounts([account(Sample, cloud)])) as running:
        yield running


def test_a_status_comes_from_the_provider(served: ProvidersServed, cloud: Cloud) -> None:
    cloud.answers = [says({"id": "m1", "status": "delivered"})]

    result = ctl(served, "sms", "status", "m1")

    assert (result.exit_code, result.stdout) == (0, "state  delivered\nref    m1\n")
    assert [(each.method, each.target) for each in cloud.seen] == [("GET", "/messages/m1")]


def test_a_provider_that_is_away_is_told_with_when_to_come_again(
    served: ProvidersServed, cloud: Cloud
) -> None:
    cloud.otherwise = says({"message": "Slow down."}, 429, Retry_After="30")

    result = ctl(served, "sms", "status", "m1", "--provider", "cloud", "--json")

    problem = json.loads(result.stdout.splitlines()[-1])
    assert (result.exit_code, problem["status"]) == (75, 503)
    assert 1 <= problem["retry_after"] <= 30


def test_an_account_that_is_refused_is_shown_so(served: ProvidersServed, cloud: Cloud) -> None:
    cloud.otherwise = says({"message": "Who are you?"}, 401)

    asked = ctl(served, "sms", "status", "m1", "--provider", "cloud")
    listed = json.loads(ctl(served, "providers", "list", "--json").stdout.splitlines()[-1])

    assert asked.exit_code == 1
    assert "Who are you?" in asked.stderr
    assert listed["state"] == "refused"
    assert "last_error_at" in listed


def test_no_secret_is_ever_told(served: ProvidersServed, cloud: Cloud) -> None:
    cloud.answers = [says({"id": "m1", "status": "delivered"})]
    cloud.otherwise = says({"message": "Who are you?"}, 401)
    commands = (
        ["sms", "status", "m1", "--raw", "--json"],
        ["sms", "status", "m1", "--provider", "cloud", "--json"],
        ["sms", "status", "m1"],
        ["providers", "list", "--json"],
        ["providers", "check", "--json"],
    )

    told = "".join(ctl(served, *words).output for words in commands)

    assert "Who are you?" in told
    assert CANARY not in told
