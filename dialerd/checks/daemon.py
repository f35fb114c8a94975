"""All that the daemon looks at, and what it needs for that."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dialerd.checks import asterisk, clocks, ground, host, outside, queue
from dialerd.checks.outside import Accounts
from dialerd.checks.running import Check, Runner
from dialerd.config import Config
from dialerd.core.errors import Mistake
from dialerd.core.findings import Finding, note, skipped
from dialerd.core.policy import Rules
from dialerd.pbx.ami import AmiSettings, Secret
from dialerd.pbx.asking import ask
from dialerd.pbx.spool_check import asterisk_uid

_NETWORK = ("self/net/tcp", "self/net/tcp6")
"""Under self, which ProcSubset=pid leaves to see (proc(5))."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What the daemon lends of its parts. All are asked in threads of the checks'.

    `window`: call files that may lie in `outgoing` at once. `prepare` makes and tries out the drop folder,
    and raises ConfigError; None where there is none. `stop_lists` are name, path, and whether it is
    dialerd's own.
    """

    config: Config
    window: int
    probes: Sequence[str]
    status: Callable[[], Mapping[str, Any]]
    stuck: Callable[[], Iterable[str]]
    lines: Callable[[], Iterable[Mapping[str, Any]]]
    rules: Callable[[], Rules]
    stop_lists: Callable[[], Iterable[tuple[str, Path, bool]]]
    list_problems: Callable[[], Sequence[str]]
    sinks: Callable[[], Mapping[str, Mapping[str, Any]]]
    accounts: Accounts
    spool: Callable[[], Iterable[Mistake]]
    prepare: Callable[[], object] | None
    listener: Callable[[], bool]


class Looking:
    """Looks at everything, or at what everybody may know."""

    def __init__(self, on: Ground) -> None:
        self._on = on
        self._runner = Runner(checks(on))

    def __call__(self, whole: bool) -> list[Finding]:
        """The findings, the worst first. `whole` False: only what the status says too."""
        if not whole:
            rest = note("rest", "All else is looked at for those who may see all jobs (view-all).")
            return [*queue.own_words(self._on.status()), rest]
        return queue.without_repeats(self._runner.look())


def checks(on: Ground) -> dict[str, Check]:
    """The checks of a running daemon."""
    config = on.config
    return {
        "daemon": lambda: queue.own_words(on.status()),
        "spool": lambda: ground.spool(on.spool, config.asterisk.spool, asterisk_uid(config.asterisk.user)),
        **of_configuration(config),
        "state folder": lambda: ground.state_folder(config.state_dir),
        "drop folder": lambda: _drop_folder(on),
        "results folder": lambda: _results(config),
        "socket": lambda: ground.socket(config.socket.path),
        "watching": host.watching,
        "inotify": lambda: host.inotify(on.window),
        "service": lambda: host.service(os.environ),
        "time zones": lambda: clocks.zones(_zones(on.rules())),
        "trunks": lambda: queue.trunks(on.rules(), on.lines()),
        "jobs": lambda: queue.waiting(on.status()["jobs"], on.stuck()),
        "stop lists": lambda: queue.stop_lists(on.stop_lists(), on.list_problems()),
        "reports": lambda: queue.sinks(on.sinks()),
        "providers": lambda: outside.providers(on.accounts, on.probes),
        "listener": lambda: _listener(on),
    }


def of_configuration(config: Config) -> dict[str, Check]:
    """The checks that need no daemon, only its configuration."""
    folders = {"state folder": config.state_dir, "spool": config.asterisk.spool}
    if config.drop_folder.enabled:
        folders["drop folder"] = config.drop_folder.path
    user = asterisk_uid(config.asterisk.user)
    return {
        "ami": lambda: _ami(config),
        "ami address": lambda: _address(config),
        "disk": lambda: ground.disks(folders, config.queue.min_free_mb),
        "asterisk files": lambda: host.asterisk_files(user, config.asterisk.max_calls),
    }


def _ami(config: Config) -> Iterator[Finding]:
    ami = config.ami
    if ami is None:
        todo = "Add a section [ami]: without it dialerd can't tell busy from no answer, nor hang calls up."
        yield note("ami", "Asterisk's manager is not asked (no section [ami]).", todo)
        return
    expected = asterisk.Expected(
        ami.host, ami.port, ami.username, config.asterisk.spool, config.asterisk.max_calls
    )
    yield from asterisk.findings(
        ask(AmiSettings(ami.host, ami.port, ami.username, Secret(ami.secret))), expected
    )


def _address(config: Config) -> Iterator[Finding]:
    ami = config.ami
    if ami is None:
        return
    try:
        tables = {name: (host.PROC / name).read_text() for name in _NETWORK if (host.PROC / name).exists()}
    except OSError:
        yield skipped("ami address", "Where AMI listens can't be seen from here.")
        return
    yield from asterisk.openness(ami.host, ami.port, tables)


def _drop_folder(on: Ground) -> Iterator[Finding]:
    if on.prepare is not None:
        yield from ground.drop_folder(on.prepare, on.config.drop_folder.path)


def _results(config: Config) -> Iterator[Finding]:
    results = config.report_settings().results
    if results is not None:
        yield from ground.results_folder(results.folder)


def _listener(on: Ground) -> Iterator[Finding]:
    settings = on.config.listener_settings()
    if settings is not None:
        yield from outside.listener(settings, on.listener)


def _zones(rules: Rules) -> set[str]:
    return {rules.zone, *(each.zone for each in rules.hours.values() if each.zone)}
