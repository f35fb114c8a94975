"""What it costs to hold a job against all rules, with a stop list of a million numbers."""

import json
import multiprocessing
import os
import random
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter

from dialerd import log
from dialerd.config import from_text
from dialerd.core.policy import Rules
from dialerd.intake import document
from dialerd.rulebook import Rulebook
from scripts.benchmarks.figures import Figure, folder
from scripts.benchmarks.rig import rss_mib

LARGE, SMALL = 1_000_000, 1000
JOBS, ROUNDS = 1000, 15
OPEN = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
"""A Monday, in the office hours of every number that is checked."""

CONFIGURATION = """
state_dir = "{state}"
[calls]
destinations = ["DE", "GB", "!+4989"]
hours = "office"
retry = "office"
[trunks.provider]
channel = "PJSIP/{{digits}}@provider"
calls_per_second = 10
destinations = ["*"]
[hours.office]
windows = ["mon-fri 09:00-18:00", "sat 10:00-14:00"]
holidays = ["callee"]
[retry.office]
busy = {{ delay = "3m", count = 3 }}
[stop_lists.customers]
file = "{list}"
reason = "asked not to be called"
"""


def run() -> list[Figure]:
    """policy.check, policy.check_mib."""
    with folder() as path:
        small, large = (_book(path, count) for count in (SMALL, LARGE))
        mib = _mib_of_a_list(small, large)
        few, many = _rules(small), _rules(large)
        turns = range(1, 2 * ROUNDS, 2)
        rounds = [(_seconds_per_job(many, each), _seconds_per_job(few, each + 1)) for each in turns]
    ratio = median(ours / reference for ours, reference in rounds)
    slow, quick = (median(each) * 1e6 for each in zip(*rounds, strict=True))
    note = f"{slow:.0f} us, {quick:.0f} us a job; median of {ROUNDS}"
    return [
        Figure("policy.check", ratio, 1.2, "lower", note),
        Figure("policy.check_mib", mib, 16, "lower", f"MiB for {LARGE:,} entries"),
    ]


def numbers(seed: int, count: int) -> list[str]:
    """Numbers of Berlin, in no order. Those of two seeds have hardly one in common."""
    chance = random.Random(seed)
    return [f"+4930{number}" for number in chance.sample(range(10_000_000, 100_000_000), count)]


def _book(path: Path, count: int) -> Path:
    """The configuration with a stop list of so many entries."""
    home = path / str(count)
    home.mkdir()
    (home / "customers.csv").write_text("".join(f"{number}\n" for number in numbers(0, count)))
    (home / "dialerd.toml").write_text(CONFIGURATION.format(state=home, list=home / "customers.csv"))
    return home / "dialerd.toml"


def _rules(book: Path) -> Rules:
    """As the daemon reads them."""
    return Rulebook(from_text(book.read_text(), {})).rules()


def _seconds_per_job(rules: Rules, turn: int) -> float:
    """Seconds from a document to a job that all rules allow. Each turn has numbers of its own, since what is
    known of a number may be kept."""
    wanted = numbers(turn, JOBS)
    bodies = [
        json.dumps({"to": number, "play": "hello-world", "caller_id": "+4930999000", "key": number}).encode()
        for number in wanted
    ]
    stopped = sum(rules.stopped(number) is not None for number in wanted)
    refused = 0
    begin = perf_counter()
    for body in bodies:
        try:
            document.parse(document.loads(body), rules, OPEN)
        except document.InvalidJob:
            refused += 1
    took = perf_counter() - begin
    assert refused == stopped, f"{refused} of {JOBS} were refused, and {stopped} are on the list"
    return took / JOBS


def _mib_of_a_list(small: Path, large: Path) -> float:
    """What the large list's process holds more than the small one's. Each is a fresh one."""
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        few, many = pool.map(_mib, [small, large], chunksize=1)
    return many - few


def _mib(book: Path) -> float:
    log.setup("warning", "text")
    rules = _rules(book)
    held = rss_mib(os.getpid())
    assert rules.trunks
    return held
