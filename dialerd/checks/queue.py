"""The queue and its rules: what waits for a person, what can't go anywhere, what the daemon complains of."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from dialerd.core.destinations import Destinations
from dialerd.core.findings import Finding, Verdict, error, note, ok, skipped, warning
from dialerd.core.policy import Rules, Trunk
from dialerd.core.roles import destination_lists

_TAKE_UP = "Run: asterisk -rx 'module show like pbx_spool'; and ls -ld on outgoing: is it Asterisk's own?"
_SEE = "See dialerctl status, and its log: journalctl -u dialerd."
_CURES = {"Everything is paused": "dialerctl resume all", "Asterisk does not take call files up": _TAKE_UP}
"""What to do, by how the sentence of the status begins."""

_BETTER = {
    "The disk is nearly full": "disk",
    "The store ": "state folder",
    "Asterisk does not take call files up": "pbx_spool",
}
"""Checks that name the cause, where they find an error, by how the sentence of the status begins."""

OLD_LIST_S = 180 * 86400
_DAY_S = 86400


def own_words(status: Mapping[str, Any]) -> Iterator[Finding]:
    """What the daemon itself complains of."""
    problems: Sequence[str] = status["problems"]
    for each in problems:
        cure = next((cure for start, cure in _CURES.items() if each.startswith(start)), _SEE)
        yield warning("daemon", each, cure)
    if not problems:
        yield ok("daemon", f"dialerd {status['version']} runs, and complains of nothing.")


def without_repeats(findings: Sequence[Finding]) -> list[Finding]:
    """Without what the daemon says and a check says better."""
    said = [each.found for each in findings if each.name != "daemon"]
    errors = {each.name for each in findings if each.verdict is Verdict.ERROR}
    return [
        each
        for each in findings
        if each.name != "daemon"
        or not (any(_core(each.found) in _core(other) for other in said) or _better(each.found) in errors)
    ]


def _better(text: str) -> str | None:
    """The check that says better what a sentence of the status says."""
    return next((name for start, name in _BETTER.items() if text.startswith(start)), None)


def _core(text: str) -> str:
    """A sentence without what stands around it in the status, and without the question after a colon."""
    bare = text.removeprefix("AMI: ").rstrip(".")
    return (bare.rpartition(": ")[0] if bare.endswith("?") else bare).casefold()


def waiting(jobs: Mapping[str, int], stuck: Iterable[str]) -> Iterator[Finding]:
    """Jobs in doubt, and jobs that do not get on."""
    if held := jobs.get("held", 0):
        found = f"{held} job{'s wait' if held > 1 else ' waits'} for a person (held)."
        yield note("held jobs", found, "dialerctl list --state held; then release, cancel or resolve.")
    late = list(stuck)
    for each in late:
        yield warning("stuck jobs", f"{each.partition(': ')[0]}.", f"Run: {each.partition(': ')[2]}")
    if not late and not held:
        yield ok("jobs", "No job waits for a person, and none is stuck.")


def trunks(rules: Rules, lines: Iterable[Mapping[str, Any]]) -> Iterator[Finding]:
    """Ways out that no job can take, and those that rest or are paused."""
    if not rules.trunks and not rules.providers:
        todo = 'Add one to the configuration: [trunks.main], channel = "PJSIP/{digits}@mytrunk".'
        yield warning("trunks", "There is no way out: no trunk and no provider.", todo)
    idle = [
        each for each in rules.trunks.values() if not each.extensions and not _leads_anywhere(each, rules)
    ]
    for each in idle:
        todo = 'Name the countries under [calls], such as destinations = ["DE"].'
        yield warning(
            "trunks", f"Nobody may be called through trunk {each.name}: it has no destination.", todo
        )
    troubled = [each for each in lines if each.get("trouble")]
    for line in troubled:
        kind = "Provider" if line.get("provider") else "Trunk"
        yield warning("trunks", f"{kind} {line['name']}: {line['trouble']}.", _of_trouble(line))
    if rules.trunks and not idle and not troubled:
        yield ok("trunks", f"Calls may go through {', '.join(rules.trunks)}.")


def _of_trouble(line: Mapping[str, Any]) -> str:
    """What to do about a way out. A fuse is not to be resumed just to see: it is money."""
    trouble, resume = str(line["trouble"]), f"dialerctl resume {line['name']}"
    if trouble.startswith("paused by its fuse"):
        return f"Find out who called: dialerctl list --limit 50. If that is in order: {resume}."
    if trouble.startswith("paused"):
        return resume
    return "Look at its other end (of SIP: asterisk -rx 'pjsip show registrations')."


def _leads_anywhere(trunk: Trunk, rules: Rules) -> bool:
    return _allows(rules.destinations if trunk.destinations is None else trunk.destinations)


def _allows(destinations: Destinations) -> bool:
    return any(not each.startswith("!") for some in destination_lists(destinations) for each in some)


def stop_lists(files: Iterable[tuple[str, Path, bool]], problems: Sequence[str]) -> Iterator[Finding]:
    """The lists' files: in order, and not forgotten. `files` are name, path, and whether dialerd keeps it."""
    for each in problems:
        yield error("stop lists", each, "Mend the file; it is read again by itself.")
    names = []
    for name, path, own in files:
        names.append(name)
        try:
            age = time.time() - path.stat().st_mtime
        except OSError as trouble:
            yield skipped("stop lists", f"{path} ({name}) can't be looked at: {trouble.strerror}.")
            continue
        if age > OLD_LIST_S and not own:
            found = f"The stop list {name} ({path}) is {age / _DAY_S:.0f} days old."
            yield note("stop lists", found, "Bring it up to date, where others keep it.")
    if not problems:
        yield ok("stop lists", f"In force: {', '.join(names) or 'none'}.")


def sinks(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[Finding]:
    """Whether reports reach those who are to be told."""
    good = []
    for name, each in figures.items():
        if each.get("failing") and each["pending"]:
            found = f"{each['pending']} reports wait for {name}: {each['failing']}"
            yield warning(
                "reports", found, f"Mend its other side; then dialerctl reports retry --sink {name}."
            )
        elif each["dead"]:
            found = f"{each['dead']} reports to {name} were given up."
            yield warning("reports", found, "dialerctl reports list --dead; then dialerctl reports retry.")
        else:
            good.append(name)
    if good:
        yield ok("reports", f"Reports reach {', '.join(good)}.")
