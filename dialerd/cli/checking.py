"""What `dialerctl check` looks at from here: what the daemon can't see, and all it can where none answers."""

import os
import stat
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dialerd import __version__
from dialerd.checks import clocks, host
from dialerd.checks.daemon import of_configuration
from dialerd.checks.running import Check, Runner
from dialerd.cli import exits
from dialerd.client import Client, ClientError, NoPermission, NoSuchJob, TryLater, Unreachable
from dialerd.config import DEFAULT_PATH, Config, load
from dialerd.config.sections import Asterisk
from dialerd.core.errors import ConfigError
from dialerd.core.findings import Finding, Verdict, by_weight, error, note, ok, skipped, warning
from dialerd.engine.asterisk import WINDOW_MAX
from dialerd.pbx.spool_check import asterisk_uid
from dialerd.secret import as_the_service

ASK_S = 5.0
LOG_S = 3.0
MOST_OF_A_LINE = 500
UNIT = "dialerd.service"
_SETUP = "Write one: sudo dialerctl setup."
_WHY = "Why it ended: journalctl -u dialerd -n 50."


def look(client: Client, path: Path | None) -> tuple[list[Finding], int | None]:
    """The findings, the worst first; and the exit code where the daemon could not be asked."""
    config, mistakes = _configuration(path)
    try:
        told = list(_of_daemon(client))
    except ClientError as trouble:
        found = [*_away(client, trouble), *mistakes, *_from_here(config, alone=True)]
        return by_weight(found), exits.of_error(trouble)
    read = [each for each in mistakes if each.verdict is not Verdict.NOTE]  # its file may be another one
    return by_weight(_merged([*told, *read], _from_here(config, alone=False))), None


def _of_daemon(client: Client) -> Iterator[Finding]:
    try:
        answer = client.check()
    except NoSuchJob:  # no such route: it is older than the client
        status = client.status()
        yield from (warning("daemon", each) for each in status["problems"])
        yield _versions(str(status["version"]))
        return
    for each in answer["findings"]:
        yield Finding(each["name"], Verdict(each["verdict"]), each["found"], each.get("todo", ""))
    yield _versions(str(answer["version"]))


def _versions(daemon: str) -> Finding:
    if daemon == __version__:
        return ok("version", f"dialerctl and dialerd are both {daemon}.")
    found = f"dialerctl is {__version__}, but the dialerd that runs is {daemon}."
    return warning("version", found, "Restart it: systemctl restart dialerd. No job is lost.")


def _merged(told: Iterable[Finding], ours: Iterable[Finding]) -> list[Finding]:
    """The daemon's word, and ours where it could not look."""
    told, ours = list(told), list(ours)
    seen = {each.name for each in told if each.verdict is not Verdict.SKIPPED}
    better = {each.name for each in ours if each.verdict is not Verdict.SKIPPED}
    kept = [each for each in told if each.verdict is not Verdict.SKIPPED or each.name not in better]
    there = {each.name for each in told}
    return [
        *kept,
        *(
            each
            for each in ours
            if each.name not in seen and (each.verdict is not Verdict.SKIPPED or each.name not in there)
        ),
    ]


def _from_here(config: Config | None, alone: bool) -> list[Finding]:
    asterisk = Asterisk() if config is None else config.asterisk
    user = asterisk_uid(asterisk.user) if config is not None else None
    checks: dict[str, Check] = {
        "clock": clocks.synchronized,
        "inotify": lambda: host.inotify(WINDOW_MAX),
        "asterisk files": lambda: host.asterisk_files(user, asterisk.max_calls),
    }
    if alone and config is not None:
        checks |= of_configuration(config)
    return Runner(checks).look()


def _configuration(path: Path | None) -> tuple[Config | None, list[Finding]]:
    """The configuration, as far as this user may read it, and what is wrong with it."""
    chosen = path or DEFAULT_PATH
    if path is None and not _is_there(chosen):
        return None, [note("configuration", f"There is no {chosen}: the defaults hold.", _SETUP)]
    try:
        return load(chosen, as_the_service(os.environ)), [ok("configuration", f"{chosen} has no mistakes.")]
    except ConfigError as refusal:
        return None, [_mistake(chosen, each.where, str(each)) for each in refusal.mistakes]


def _mistake(chosen: Path, where: str, what: str) -> Finding:
    if where.endswith("secret_file"):
        return skipped("configuration", f"{where}: a secret is for the daemon's user only.")
    if "Permission denied" in what:
        return skipped("configuration", f"{chosen} is not for you to read.")
    return error("configuration", what, f"Mend {chosen}, then: systemctl reload-or-restart dialerd.")


def _is_there(path: Path) -> bool:
    try:
        path.stat()  # exists() takes what may not be looked at for missing, from Python 3.12 on
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return True


def _away(client: Client, trouble: ClientError) -> Iterator[Finding]:
    """Why nobody answers."""
    path = Path(client.socket_path)
    if isinstance(trouble, NoPermission):
        yield error("socket", str(trouble))
        return
    state = _asked_of_systemd()
    failed = isinstance(trouble, TryLater) or state.get("ActiveState") in ("failed", "activating")
    quoted = _last_error() if failed else ""
    why, _, cure = str(trouble).partition(". ")
    if isinstance(trouble, Unreachable):
        yield error("daemon", f"{why.rstrip('.')}.{quoted}", f"{cure} {_WHY}".strip())
    else:
        yield error("daemon", f"{trouble}{quoted}", _WHY)
    yield from _socket(path)
    yield from _unit(state)


def _last_error() -> str:
    """The last error that a process of the service has logged since the machine's start, as a sentence; empty
    where there is none, or the journal is not for this user (journalctl(1))."""
    command = ["journalctl", f"_SYSTEMD_UNIT={UNIT}", "-b", "-p", "err", "-n", "3", "-o", "cat", "--no-pager"]
    try:
        done = subprocess.run([*command, "-q"], capture_output=True, timeout=LOG_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    lines = [line.strip() for line in done.stdout.decode(errors="replace").splitlines() if line.strip()]
    if not lines:
        return ""
    shown = "".join(each for each in lines[-1] if each.isprintable())[:MOST_OF_A_LINE]
    return f" The last error in its log: {shown}"


def _socket(path: Path) -> Iterator[Finding]:
    """What stands in the place of a socket on which nobody answers."""
    try:
        is_socket = stat.S_ISSOCK(path.stat().st_mode)
    except FileNotFoundError:
        if not path.parent.is_dir():
            found = f"There is no folder {path.parent}: no daemon has run with this path."
            yield error("socket", found, "Name the socket with --socket, or start dialerd.")
    except OSError:
        yield skipped("socket", f"You may not look into {path.parent}.")
    else:
        if not is_socket:
            yield error("socket", f"{path} is no socket.", "Move it away, then start dialerd.")


def _unit(state: Mapping[str, str]) -> Iterator[Finding]:
    """What systemd knows of the service (systemctl(1), show)."""
    if state.get("LoadState") != "loaded":
        return
    if state.get("ConditionResult") == "no" and state.get("ActiveState") == "inactive":
        found = f"systemd has not started {UNIT}: a condition of the unit does not hold."
        yield error("service", found, f"Most likely there is no {DEFAULT_PATH}. {_SETUP}")
    elif state.get("ActiveState") == "failed":
        how = f"{state.get('Result', '')}, exit code {state.get('ExecMainStatus', '')}"
        yield error("service", f"{UNIT} has failed ({how}).", "Read why: journalctl -u dialerd -n 50.")
    else:
        states = f"{state.get('ActiveState', '')} ({state.get('SubState', '')})"
        yield note("service", f"systemd says of {UNIT}: {states}.", "Read on: systemctl status dialerd.")


def _asked_of_systemd() -> dict[str, Any]:
    names = "LoadState,ActiveState,SubState,Result,ExecMainStatus,ConditionResult"
    command = ["systemctl", "show", "--property", names, UNIT]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    return dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
