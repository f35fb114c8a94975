from datetime import date
from pathlib import Path

from dialerd.config import from_text
from dialerd.core.budget import Budget, Fuse
from dialerd.core.policy import Caps
from dialerd.core.retry import RetryPolicy, Rule
from tests.configuring import SYSTEM

POLICY = """
[calls]
default_country = "DE"
destinations = ["DE", "!+49180"]
caller_ids = ["+4930*"]
hours = "day"
retry = "often"
timezone = "Europe/Berlin"
expire_after = "2h"
urgent_priority = 9
[trunks.a]
channel = "PJSIP/{digits}@a"
public = false
caller_ids = "+49309*"
destinations = "+4930"
calls_per_second = 0.5
max_channels = 7
reserved_rate = 0.1
reserved_channels = 2
caps = { calls_per_day = 1, minutes_per_day = 2, spend_per_day = "0.0003" }
[[routes]]
destinations = "*"
trunks = "a"
[hours.day]
windows = "always"
zone = "Europe/Vienna"
holidays = "AT"
closed = 2030-01-02
open = ["2030-01-01"]
[retry.often]
busy = { delay = "10s", growth = 3, jitter = 0, count = 4, longest = "20s" }
max_dials = 9
kill_after = "1h"
on_doubt = "drop"
[caps]
timezone = "Asia/Tokyo"
currency = "JPY"
rates = "/rates.csv"
reserve = "1m"
owner = { calls_per_day = 4, minutes_per_day = 5, concurrent = 6, spend_per_day = "7" }
total = { calls_per_day = 8, minutes_per_day = 9, spend_per_day = "10" }
fuse = { spend = "11", spend_within = "2m", new_areas = 12, new_areas_within = "3m" }
[stop_lists.us]
file = "/us.csv"
reason = "no"
writable = true
salt_file = "/salt"
[reports]
give_up_after = "1h"
"""


def test_every_option_of_policy_reaches_its_setting() -> None:
    config = from_text(POLICY, SYSTEM)

    rules, caps = config.rules(), config.caps
    trunk, hours = rules.trunks["a"], rules.hours["day"]
    assert (rules.destinations.allows("+4930123456"), rules.destinations.allows("+4918012345")) == (
        True,
        False,
    )
    assert (rules.caller_ids, rules.default_hours, rules.default_retry) == (("+4930*",), "day", "often")
    assert (rules.zone, rules.expire_after_s, rules.urgent_from) == ("Europe/Berlin", 7200, 9)
    assert (trunk.public, trunk.caller_ids, trunk.caps) == (False, ("+49309*",), Caps(1, 2, None, 3))
    assert trunk.destinations is not None
    assert (trunk.destinations.allows("+4930123456"), trunk.destinations.allows("+49891234567")) == (
        True,
        False,
    )
    assert (trunk.calls_per_second, trunk.max_channels) == (0.5, 7)
    assert (trunk.reserved_rate, trunk.reserved_channels) == (0.1, 2)
    assert [(route.where.allows("+3315555555"), route.trunks) for route in rules.routes] == [(True, ("a",))]
    assert (hours.zone, hours.holidays) == ("Europe/Vienna", ("AT",))
    assert (hours.closed, hours.open) == ((date(2030, 1, 2),), (date(2030, 1, 1),))
    assert rules.retry["often"] == RetryPolicy(
        "often", busy=Rule(10, 3.0, 0.0, 4, 20), max_dials=9, kill_after_s=3600, on_doubt="drop"
    )
    assert caps.rates == Path("/rates.csv")
    assert caps.budget() == Budget(
        owner=Caps(4, 5, 6, 70_000),
        total=Caps(8, 9, None, 100_000),
        zone="Asia/Tokyo",
        reserve_s=60,
        currency="JPY",
        fuse=Fuse(110_000, 120, 12, 180),
    )
    stop_list = config.stop_list_files()[0]["us"]
    assert (stop_list.file, stop_list.salt_file) == (Path("/us.csv"), Path("/salt"))
    assert (stop_list.reason, stop_list.writable) == ("no", True)
    assert config.report_settings().job_urls.give_up_after == 3600
