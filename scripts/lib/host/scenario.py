"""The list of scenarios, and how one is run and told of."""

import subprocess
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass

from scripts.lib.host.machine import NoBoot
from scripts.lib.host.stage import Stage


@dataclass(frozen=True)
class Scenario:
    """What is shown, as a sentence, and what shows it: raises AssertionError where it is not so."""

    name: str
    sentence: str
    play: Callable[[Stage], None]
    always: bool = False
    """Whether the others stand on it."""


SCENARIOS: list[Scenario] = []


def scenario(name: str, sentence: str, always: bool = False) -> Callable[[Callable[[Stage], None]], None]:
    """Adds the decorated function to the list; they are played in the order in which they are written."""

    def add(play: Callable[[Stage], None]) -> None:
        SCENARIOS.append(Scenario(name, sentence, play, always))

    return add


def played(each: Scenario, stage: Stage, say: Callable[[str], None]) -> bool:
    """Plays one, and tells in a line how it went; with all that is known of dialerd where it failed."""
    begun = time.monotonic()
    try:
        each.play(stage)
    except (AssertionError, NoBoot, OSError, LookupError, ValueError, subprocess.SubprocessError) as error:
        say(f"FAILED {each.name}: {each.sentence} ({time.monotonic() - begun:.1f} s)")
        say(_indented(f"{type(error).__name__}: {error}\n{_place(error)}"))
        say(_indented(_known(stage)))
        stage.note(stage.dialerd_log(500) if stage.host.init else "")
        return False
    say(f"ok     {each.name}: {each.sentence} ({time.monotonic() - begun:.1f} s)")
    return True


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return "\n".join(
        f"  at {frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.line}" for frame in frames
    )


def _known(stage: Stage) -> str:
    """dialerd's journal, its status and the unit's; nothing where the host is off."""
    try:
        unit = stage.host.run(
            ["systemctl", "status", "--no-pager", "--lines=0", "dialerd.service"], check=False
        )
        return f"{unit.stdout}\n{stage.status()}\n{stage.dialerd_log()}"
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        return f"(nothing more is known: {error})"


def _indented(text: str) -> str:
    return "\n".join(f"       | {line}" for line in text.rstrip().splitlines())
