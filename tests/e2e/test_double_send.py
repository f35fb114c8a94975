"""dialerd is killed again and again while it sends, and providers answer this and that: no message is sent
twice, none is lost, and what became of each is what the provider's own log says."""

import random
import threading
from collections import Counter
from contextlib import suppress
from itertools import count

import pytest

from tests.e2e import syscalls
from tests.e2e.clouds import SMS, Hoiio, in_state, name_of, routes
from tests.providers.cloud import HALF_A_BODY, HANGS, HTML, RESET, Says, says
from tests.waiting import until

_pause = threading.Event()  # never set


def job_of(reference):
    return reference.partition(".")[0]


def by_key(daemon):
    """All jobs, by their keys."""
    jobs = daemon.jobs()
    assert len({job["key"] for job in jobs}) == len(jobs)
    return {job["key"]: job for job in jobs}


def hand_in(daemon, key):
    """Until it is accepted, or dialerd is gone."""
    with suppress(OSError, ValueError):
        daemon.request("POST", "/v1/jobs", {**SMS, "key": key})


def taken(clouds):
    """How often the providers took a message of each job."""
    return Counter(job_of(each["tag"]) for site in clouds.of.values() for each in site.kept.values())


def settled(daemon, clouds):
    """Whether each job is where the providers' logs say that it should be."""
    sent = taken(clouds)
    return all(
        job["state"] == ("submitted" if job["id"] in sent else "held") for job in by_key(daemon).values()
    )


POINTS = {"connect": 1, "write": 1, "read": 6, "fdatasync": 1}
"""System calls of a send: before it, while it is on its way, while it is answered, and its commits. Of those
that are many, every sixth."""


@pytest.mark.long
def test_a_kill_at_every_system_call_of_a_send_sends_nothing_twice_and_loses_nothing(
    clouds, tmp_path, capsys
):
    daemon = clouds.daemon(clouds.account("one", "hoiio", requests_per_minute=60_000))
    keys, kills = [], Counter()
    for name, stride in POINTS.items():
        for number in count(1, stride):
            daemon.start()
            assassin = syscalls.Assassin(daemon.pid, name, number, None, tmp_path / "strace")
            keys.append(f"{name}-{number}")
            hand_in(daemon, keys[-1])
            gone = until(lambda key=keys[-1]: is_over(daemon, key), 30)
            daemon.kill()
            assassin.wait()
            if gone != "killed" or number == 30:
                break
            kills[name] += 1
    daemon.start()
    for key in keys:
        hand_in(daemon, key)
    until(lambda: len(by_key(daemon)) == len(keys) and settled(daemon, clouds), 60)
    states = Counter(job["state"] for job in by_key(daemon).values())
    sent = taken(clouds)
    with capsys.disabled():
        print(f"\n{kills.total()} kills {dict(kills)}: {len(keys)} jobs, {len(sent)} sent, {dict(states)}")
    assert set(kills) == set(POINTS)
    assert set(clouds.references().values()) == {1}
    assert set(sent.values()) == {1}
    assert all("stopped" in job["reason"] for job in by_key(daemon).values() if job["state"] == "held")


def is_over(daemon, key):
    """Whether the message is with the provider, or dialerd was killed."""
    if not daemon.running():
        return "killed"
    try:
        jobs = by_key(daemon)
    except (OSError, ValueError, AssertionError):
        return ""
    return "sent" if key in jobs and jobs[key]["state"] == "submitted" else ""


def test_no_request_leaves_before_its_lease_is_synced(clouds, tmp_path):
    recorded = tmp_path / "calls"
    daemon = clouds.daemon(clouds.account("one"))
    slowly = ["-e", "inject=fdatasync:delay_enter=150000"]  # what does not wait for it, overtakes it
    daemon.wrapper = [*syscalls.recording(recorded, "connect,pwrite64,fdatasync"), *slowly]
    daemon.start()
    job = daemon.submit(**SMS, key="ordered")
    until(in_state(daemon, job["id"], "submitted"), 30)
    daemon.stop()
    port = f"htons({clouds.cloud.port})"
    steps = "".join(step_of(call, port) for call in syscalls.read(recorded))
    accepted, request = steps.index("a"), steps.index("r")
    assert steps[accepted:request].endswith("s"), steps[accepted:request]
    assert steps.count("r") == 1


def step_of(call, port):
    """A request that begins, a write of the store, or its sync; "a" is a write that has the job's key."""
    if call.name == "connect":
        return "r" if port in call.arguments else ""
    if "sqlite3-wal" not in call.arguments:
        return ""
    return "s" if call.name == "fdatasync" else "a" if "ordered" in call.arguments else "w"


MESSAGES, FAULTY = 200, 0.2
_TOOK_AND = (RESET, HALF_A_BODY, HANGS, says({"status": "queued"}, 500), Says(503, HTML), Says(200, HTML))
_LEFT_AND = (RESET, says({}, 429, Retry_After="1"), says({"status": "error_concurrent_call_limit_reached"}))


class Moody(Hoiio):
    """A provider that now and then does what it should not, with or without having taken the message."""

    def take(self, form):
        _pause.wait(random.uniform(0.02, 0.1))
        if random.random() >= FAULTY:
            return super().take(form)
        if random.random() < 0.5:
            return random.choice(_LEFT_AND)
        super().take(form)
        return random.choice(_TOOK_AND)


@pytest.mark.long
def test_no_message_of_a_campaign_is_sent_twice_whatever_dies_and_fails(clouds, capsys):
    seed = random.SystemRandom().randrange(10_000)
    random.seed(seed)
    clouds.of |= {"one": Moody(), "two": Moody()}
    both = [clouds.account(name, "hoiio", requests_per_minute=60_000, timeout="1s") for name in clouds.of]
    route = {"kinds": ["sms"], "ways": list(clouds.of)}
    daemon = clouds.daemon(*both, **routes(route)).start()
    keys, kills = [f"campaign/{number}" for number in range(MESSAGES)], 0
    daemon.ctl("pause", "all")
    for number, key in enumerate(keys):
        daemon.submit(**{**SMS, "to": f"+4930{1_000_000 + number}"}, key=key)
    daemon.ctl("resume", "all")
    while open_jobs(daemon):
        _pause.wait(random.uniform(0.1, 0.5))
        daemon.kill()
        daemon.start()
        kills += 1
    until(lambda: settled(daemon, clouds), 90)
    jobs, sent = by_key(daemon), taken(clouds)
    states = Counter(job["state"] for job in jobs.values())
    faults = len(clouds.sent()) - len(sent)
    ways = Counter(name_of(seen) for seen in clouds.sent())
    with capsys.disabled():
        print(
            f"\n{MESSAGES} messages, {kills} kills, {faults} not taken: {len(clouds.sent())} requests"
            f" {dict(ways)}, {len(sent)} sent, {max(sent.values()) - 1} twice; {dict(states)}; seed {seed}"
        )
    assert set(jobs) == set(keys)
    assert set(clouds.references().values()) == {1}
    assert set(sent.values()) == {1}
    assert states["submitted"] == len(sent)
    assert states["held"] == MESSAGES - len(sent)
    assert kills >= 3
    assert set(ways) == {"one", "two"}


def open_jobs(daemon):
    """How many jobs wait, or are being sent."""
    states = daemon.request("GET", "/v1/status")[1]["jobs"]
    return sum(states.get(each, 0) for each in ("queued", "deferred", "active"))
