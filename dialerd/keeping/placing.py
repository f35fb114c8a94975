"""Putting a restored state in the place of another one, so that a crash leaves one or the other.

The new state is made ready in a folder of the state folder. The rename of that folder to READY is the instant
at which it counts; what follows from it, moving the old files aside and the new ones in, may be repeated.
"""

import json
import os
import shutil
from pathlib import Path

from dialerd.core.errors import Broken
from dialerd.keeping.members import ALL

MAKING, READY = ".restore", ".restored"
PLAN = "plan.json"


def begin(state: Path) -> Path:
    """An empty folder in which the new state is made. Raises Broken."""
    making = state / MAKING
    shutil.rmtree(making, ignore_errors=True)
    try:
        making.mkdir(mode=0o700)
    except OSError as error:
        raise Broken(f"{making} can't be made: {error.strerror}.") from error
    return making


def abandon(state: Path) -> None:
    """Takes away what was made of a new state that does not count."""
    shutil.rmtree(state / MAKING, ignore_errors=True)


def commit(state: Path, aside: str) -> None:
    """From now on the new state counts. `aside`: the folder beside it that the old files are moved to. Raises
    Broken, and then nothing has changed."""
    making = state / MAKING
    names = [name for name in ALL if (making / name).exists()]
    try:
        (making / PLAN).write_text(json.dumps({"aside": aside, "names": names}))
        _sync_tree(making)
        making.rename(state / READY)
        _sync(state)
    except OSError as error:
        raise Broken(f"The restored state can't be brought to the disk: {error.strerror}.") from error


def finish(state: Path) -> str | None:
    """Does what is left to do of a restore that counts. Returns the folder that the old files are in, ""
    where there were none, and None where there was no restore to finish. Raises Broken."""
    shutil.rmtree(state / MAKING, ignore_errors=True)
    ready = state / READY
    if not ready.is_dir():
        return None
    try:
        plan = json.loads((ready / PLAN).read_text())
        aside = state / str(plan["aside"])
        for name in ALL:
            waits = (ready / name).exists() or name not in plan["names"]
            if waits and (state / name).exists():
                aside.mkdir(mode=0o700, exist_ok=True)
                (state / name).rename(aside / name)
        for name in plan["names"]:
            if (ready / name).exists():
                (ready / name).rename(state / name)
        _sync(state)
        shutil.rmtree(ready)
    except (OSError, ValueError, LookupError) as error:
        raise Broken(f"A restore can't be finished in {state}: {error}.") from error
    return str(aside) if aside.exists() else ""


def _sync_tree(folder: Path) -> None:
    for path, _folders, files in os.walk(folder):
        for name in files:
            _sync(Path(path) / name)
        _sync(Path(path))


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
