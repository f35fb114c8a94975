"""What providers tell of the time, in the Date of their answers."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dialerd.providers.health import Health
from tests.providers.cloud import Cloud, says
from tests.providers.sample import Sample
from tests.providers.samples import account, sms
from tests.providers.working import made, sent


@pytest.mark.parametrize("hours", [0, 1, -1])
def test_a_clock_that_is_off_is_known_by_its_provider(cloud: Cloud, hours: int) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(hours=hours), usegmt=True)
    cloud.answers = [says({"id": "m1"}, 201, Date=date)]
    with made(account(Sample, cloud)) as accounts:
        before = accounts.clocks()
        sent(accounts, sms("Hello"))
        after = accounts.clocks()

    assert before == {}
    assert after == {"cloud": pytest.approx(hours * 3600, abs=60)}


@pytest.mark.parametrize("date", ["", "yesterday", "Mon, 99 Foo 2026 25:00:00 GMT"])
def test_a_date_that_can_not_be_read_is_none(date: str) -> None:
    health = Health("cloud")
    health.heard(date)

    assert health.ahead_s is None
