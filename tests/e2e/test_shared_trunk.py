"""A trunk that dialerd shares with people: what they take of its channels, dialerd leaves to them."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from tests.asterisk import Asterisk
from tests.daemon import Daemon
from tests.waiting import until

PROVIDER = """
[provider]
type = endpoint
context = sim
transport = t-udp
aors = loop
disallow = all
allow = ulaw
"""
TRUNK = {"channel": "PJSIP/{digits}@provider", "extensions": ["X."], "max_channels": 3}
LASTING = {"trunk": "provider", "application": "Wait", "data": "600"}


@pytest.fixture(params=[22, 16])
def pbx(request: pytest.FixtureRequest, make_asterisk: Callable[..., Asterisk]) -> Asterisk:
    """An Asterisk with a provider whose calls it answers itself, as another endpoint."""
    made = make_asterisk(request.param)
    made.configure("modules.conf", "load = res_clioriginate.so\n")
    made.configure("pjsip.conf", PROVIDER)
    return made.start()


@pytest.fixture
def daemon(pbx: Asterisk) -> Iterator[Daemon]:
    """A dialerd that is not started, whose trunk to the provider has three channels."""
    made = Daemon(pbx, {"trunks.provider": TRUNK})
    yield made
    made.remove()


def people_call(pbx: Asterisk, count: int) -> None:
    for _ in range(count):
        pbx.cli("channel originate PJSIP/1000@provider application Wait 600")
    until(lambda: len(on_trunk(pbx)) == count)


def on_trunk(pbx: Asterisk) -> list[str]:
    lines = pbx.cli("core show channels concise").splitlines()
    return [line.partition("!")[0] for line in lines if line.startswith("PJSIP/provider-")]


def submitted(daemon: Daemon) -> list[str]:
    return [job["id"] for job in daemon.jobs("state=submitted")]


def others(daemon: Daemon) -> int:
    trunks = daemon.request("GET", "/v1/trunks")[1]["trunks"]
    return next(int(each["others"]) for each in trunks if each["name"] == "provider")


def test_dialerd_takes_only_the_channels_that_people_leave_free(pbx: Asterisk, daemon: Daemon) -> None:
    people_call(pbx, 2)
    daemon.start()

    for number in range(4):
        daemon.submit(to=str(2000 + number * 100), **LASTING)
    until(lambda: len(on_trunk(pbx)) == 3)
    until(lambda: others(daemon) == 2)
    beside_people = len(submitted(daemon))
    for channel in on_trunk(pbx)[-2:]:  # the newest channel is listed first: these are the people's
        pbx.cli(f"channel request hangup {channel}")
    until(lambda: len(submitted(daemon)) == 3)

    assert beside_people == 1
    assert until(lambda: others(daemon) == 0)
    assert len(on_trunk(pbx)) == 3


def test_calls_one_at_a_time_never_take_more_than_people_leave(pbx: Asterisk, daemon: Daemon) -> None:
    people_call(pbx, 2)
    daemon.start()
    jobs = [daemon.submit(to=f"20{number}06", trunk="provider", play="hello-world") for number in range(4)]

    seen = [len(on_trunk(pbx))]
    until(lambda: seen.append(len(on_trunk(pbx))) or not daemon.jobs("state=queued"), 30)
    for job in jobs:
        daemon.ended(job["id"])

    assert max(seen) == 3


def test_a_reload_that_bounds_a_trunk_makes_it_counted(pbx: Asterisk, daemon: Daemon) -> None:
    daemon.settings["trunks.provider"] = {key: TRUNK[key] for key in ("channel", "extensions")}
    daemon.write_config()
    people_call(pbx, 2)
    daemon.start()
    before = others(daemon)

    daemon.settings["trunks.provider"] = TRUNK
    daemon.write_config()
    os.kill(daemon.pid, signal.SIGHUP)

    assert before == 0
    assert until(lambda: others(daemon) == 2)
