"""What a message by a provider costs, how exactly an account's bound is used, and whether an account that
hangs holds another one up."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from time import monotonic, process_time
from typing import Any

import requests

from dialerd.client import Client
from scripts.benchmarks.far import ACCOUNT, FIVE, SECRET, SENDER, TWO_HUNDRED, Far
from scripts.benchmarks.figures import Figure
from scripts.benchmarks.rig import Rig
from tests.waiting import until

MESSAGES, ROUNDS = 150, 5
"""Of each round, to both sides in turn: the median round counts."""

CONNECTIONS, HEALTHY, BEHIND = 8, 2000, 500
"""Of an account, and messages for the healthy one and for the one that hangs."""

SECONDS_FIVE, SECONDS_TWO_HUNDRED, SECONDS_ISOLATION = 60, 180, 20
"""The longest is that of all the rates: they run at the same time."""

BODY = "Your order has arrived, and waits for you at the counter."


def run() -> list[Figure]:
    """provider.overhead, provider.rate.5, provider.rate.200, provider.rate.429, provider.isolation."""
    with Far() as far:
        return [overhead(far), *rates(far), isolation(far)]


def overhead(far: Far) -> Figure:
    """The daemon's CPU per message, from its acceptance to its end on disk, and that of a loop."""
    rounds = []
    with Rig(asterisk=False, sections={"providers.plain": far.account("plain")}) as rig:
        _daemon_cpu(far, rig, 20)
        _loop_cpu(far, 20)
        for _ in range(ROUNDS):
            rounds.append((_daemon_cpu(far, rig, MESSAGES), _loop_cpu(far, MESSAGES)))
    ours, bare = (1000 * median(each) for each in zip(*rounds, strict=True))
    ratio = median(each / reference for each, reference in rounds)
    note = f"{ours:.2f} ms of CPU a message, bare requests {bare:.2f}; median of {ROUNDS}"
    return Figure("provider.overhead", ratio, 1.5, "lower", note)


def rates(far: Far) -> list[Figure]:
    """Two accounts at once, each with more in the queue than its bound lets through. The server counts in
    every window, not in those of a clock."""
    cases = {
        "five": (*FIVE, SECONDS_FIVE),
        "two-hundred": (*TWO_HUNDRED, SECONDS_TWO_HUNDRED),
    }
    sections = {
        f"providers.{path}": far.account(path, requests_per_minute=60 * count / seconds)
        for path, (count, seconds, _) in cases.items()
    }
    with Rig(asterisk=False, sections=sections) as rig:
        client = rig.daemon.client()
        for path, (count, seconds, length) in cases.items():
            _hand_in(client, path, int(1.1 * length * count / seconds))
        until(lambda: all(far.count(path) for path in cases), 30)
        begin = monotonic()
        until(lambda: monotonic() > begin + SECONDS_TWO_HUNDRED, SECONDS_TWO_HUNDRED + 30)
    figures = [_share(far, path, *case) for path, case in cases.items()]
    refused = sum(far.refused(path) for path in cases)
    return [*figures, Figure("provider.rate.429", refused, 0, "lower", "answers 429")]


def isolation(far: Far) -> Figure:
    """What a healthy account sends while another one of the same daemon hangs on every request, and what it
    sends alone. Two daemons do that side by side, so that the machine is the same to both."""
    both, one = ("beside", "hangs"), ("alone",)
    with _daemon(far, both) as beside, _daemon(far, one) as alone:
        _hand_in(beside.daemon.client(), "hangs", BEHIND)
        until(lambda: far.count("hangs") >= CONNECTIONS, 30)
        _hand_in(beside.daemon.client(), "beside", HEALTHY)
        _hand_in(alone.daemon.client(), "alone", HEALTHY)
        until(lambda: far.count("beside") and far.count("alone"), 30)
        begin = monotonic()
        until(lambda: monotonic() > begin + SECONDS_ISOLATION, SECONDS_ISOLATION + 30)
        assert far.count("hangs") < BEHIND, "the queue of the account that hangs is empty"
    counts = [
        sum(begin <= at < begin + SECONDS_ISOLATION for at in far.taken(each)) for each in ("beside", "alone")
    ]
    with_it, by_itself = (each / SECONDS_ISOLATION for each in counts)
    note = f"{with_it:.1f}/s, alone {by_itself:.1f}/s"
    return Figure("provider.isolation", with_it / by_itself, 0.95, "higher", note)


def _daemon(far: Far, paths: Sequence[str]) -> Rig:
    """A daemon with an account for each of the paths."""
    sections = {f"providers.{path}": far.account(path, connections=CONNECTIONS) for path in paths}
    return Rig(asterisk=False, sections=sections)


def _share(far: Far, path: str, count: int, seconds: float, length: int) -> Figure:
    """What went through in so many seconds from the first message on, of what the bound allows."""
    times = sorted(far.taken(path))
    taken = sum(at < times[0] + length for at in times)
    most = length * count / seconds
    note = f"{taken} in {length} s of {most:.0f}; {far.refused(path)} answers 429"
    return Figure(f"provider.rate.{count}", taken / most, 0.98, "higher", note)


def _daemon_cpu(far: Far, rig: Rig, count: int) -> float:
    """Seconds of the daemon's CPU per message."""
    client, sent = rig.daemon.client(), far.count("plain")
    done = client.status()["jobs"].get("completed", 0)
    begin = _cpu(rig.daemon.pid)
    _hand_in(client, "plain", count)
    until(lambda: far.count("plain") >= sent + count, 120)
    until(lambda: client.status()["jobs"].get("completed", 0) >= done + count, 30)
    return (_cpu(rig.daemon.pid) - begin) / count


def _loop_cpu(far: Far, count: int) -> float:
    """Seconds of CPU per message of a loop that does nothing else, with a connection for each."""
    url = f"{far.url('plain')}/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    with requests.Session() as session:
        session.trust_env, session.auth = False, (ACCOUNT, SECRET)
        session.headers["Connection"] = "close"
        begin = process_time()
        for number in range(count):
            form = {"To": _number(number), "From": SENDER, "Body": BODY}
            answer = session.post(url, data=form, timeout=(10, 30), verify=str(far.ca_file))
            assert answer.status_code == 201
            assert answer.json()["sid"]
        return (process_time() - begin) / count


def _cpu(pid: int) -> float:
    """Seconds that a process has used by now, user and system (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _hand_in(client: Client, provider: str, count: int) -> None:
    for answer in client.submit_many(_messages(provider, count)):
        assert answer["status"] == 201, answer


def _messages(provider: str, count: int) -> Iterator[dict[str, Any]]:
    for number in range(count):
        yield {"kind": "sms", "to": _number(number), "body": BODY, "provider": provider}


def _number(number: int) -> str:
    return f"+4930{number + 10_000_000}"
