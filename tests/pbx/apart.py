"""Deeds with a spool that must be done as another user, or with mounts of one's own: a process per deed.

python -m tests.pbx.apart DEED SPOOL [USER]          prints what came of it, as JSON
"""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from dialerd.core.errors import ConfigError, DialerError
from dialerd.core.model import Call
from dialerd.pbx.callfile import render
from dialerd.pbx.spool import Spool, SpoolSettings
from tests.users import ROOT
from tests.waiting import until

PROJECT = Path(__file__).resolve().parents[2]
NAMES = [f"0123456789{number:03}.1.call" for number in range(100, 150)]
OWN_MOUNTS = ["unshare", "--mount", *([] if ROOT else ["--map-root-user"])]
"""The beginning of a command that may mount what it likes, which nobody else sees."""


def apart(deed: str, spool: Path, user: str = "", *, command: Sequence[str] = ()) -> Any:
    """What came of the deed, done in a process of its own that begins with `command`."""
    python = [sys.executable, "-m", "tests.pbx.apart", deed, str(spool), user]
    done = subprocess.run(
        [*command, *python], cwd=PROJECT, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def told(failures: dict[str, DialerError]) -> dict[str, str]:
    """Which class each failure is of."""
    return {name: type(error).__name__ for name, error in failures.items()}


def mistakes(spool: Spool) -> list[str]:
    """What check() has against the spool."""
    try:
        spool.check()
    except ConfigError as error:
        return [str(mistake) for mistake in error.mistakes]
    return []


def check(spool: Spool) -> Any:
    return mistakes(spool)


def hand_over(spool: Spool) -> Any:
    """Stages one file and hands it over, and looks at it."""
    found = mistakes(spool)
    files = {NAMES[0]: b"Channel: Local/answer@sim\nApplication: NoOp\n"}
    failures = told(spool.stage(files)) | told(spool.hand_over([NAMES[0]]))
    owner = (spool.settings.spool / "outgoing" / NAMES[0]).stat()
    looked = spool.look(NAMES[0])
    taken = spool.take_out(NAMES[0]), spool.put_back(NAMES[0])
    return {
        "mistakes": found,
        "failures": failures,
        "uid": owner.st_uid,
        "gid": owner.st_gid,
        "mode": oct(owner.st_mode & 0o7777),
        "place": looked.place,
        "started": looked.started,
        "moves": taken,
    }


def call(spool: Spool) -> Any:
    """Has one call made by a real Asterisk, and tidies up."""
    name = NAMES[1]
    found = mistakes(spool)
    what = Call(application="NoOp", account="apart")
    failures = told(spool.stage({name: render(what, "Local/answer@sim", name.removesuffix(".call"))}))
    failures |= told(spool.hand_over([name]))
    until(lambda: spool.look(name).status)
    seen = spool.look(name)
    spool.remove([name])
    return {
        "mistakes": found,
        "failures": failures,
        "started": seen.started,
        "status": seen.status,
        "left": [sighting.name for sighting in spool.survey() if sighting.name == name],
    }


def look(spool: Spool) -> Any:
    """Looks at a file, whoever's it is."""
    spool.check()
    seen = spool.look(NAMES[0])
    return {"place": seen.place, "started": seen.started}


def under_way(spool: Spool) -> Any:
    """Has a call made that nobody answers, and looks at it meanwhile and at its end."""
    name = NAMES[2]
    spool.check()
    what = Call(application="NoOp", wait_time=1)
    spool.stage({name: render(what, "Local/noanswer@sim", name.removesuffix(".call"))})
    spool.hand_over([name])
    until(lambda: spool.look(name).started)
    during, mtime = spool.look(name), (spool.settings.spool / "outgoing" / name).stat().st_mtime
    until(lambda: spool.look(name).status)
    seen = spool.look(name)
    spool.remove([name])
    return {
        "place": during.place,
        "ahead": mtime - time.time(),
        "status": seen.status,
        "lines": seen.lines,
        "since the end": time.time() - (seen.ended or 0.0),
    }


def full_disk(spool: Spool) -> Any:
    """Stages more than a small disk holds, makes room and stages again."""
    folder = spool.settings.spool
    _mount("-t", "tmpfs", "-o", "size=128k", "none", str(folder))
    (folder / "outgoing").mkdir()
    found = mistakes(spool)
    failures = spool.stage(dict.fromkeys(NAMES, b"x" * 4096))
    staged = sorted(os.listdir(folder / "dialerd" / "staging"))
    full = mistakes(spool)
    spool.discard(staged)
    return {
        "mistakes": found,
        "failures": told(failures),
        "sentence": str(next(iter(failures.values()))),
        "staged": staged,
        "mistakes when full": full,
        "failures after": told(spool.stage(dict.fromkeys(NAMES[:5], b"x" * 4096))),
    }


def read_only(spool: Spool) -> Any:
    """Stages, and tries to hand over once the disk is read-only."""
    folder = spool.settings.spool
    _mount("-t", "tmpfs", "-o", "size=1m", "none", str(folder))
    (folder / "outgoing").mkdir()
    spool.check()
    spool.stage({NAMES[0]: b"x"})
    _mount("-o", "remount,bind,ro", str(folder))
    return {
        "stage": told(spool.stage({NAMES[1]: b"x"})),
        "hand_over": told(spool.hand_over(NAMES[:1])),
        "take_out": _raised(lambda: spool.take_out(NAMES[0])),
        "place": spool.look(NAMES[0]).place,
        "mistakes": mistakes(spool),
    }


def two_mounts(spool: Spool) -> Any:
    """`outgoing` is a mount of its own, of the same file system: same device number."""
    outgoing = str(spool.settings.spool / "outgoing")
    _mount("--bind", outgoing, outgoing)
    return mistakes(spool)


def two_disks(spool: Spool) -> Any:
    """`outgoing` is on another file system; then so is the hand-over, if someone goes on regardless."""
    _mount("-t", "tmpfs", "none", str(spool.settings.spool / "outgoing"))
    found = mistakes(spool)
    spool.stage({NAMES[0]: b"x"})
    return {
        "mistakes": found,
        "hand_over": told(spool.hand_over(NAMES[:1])),
        "place": spool.look(NAMES[0]).place,
    }


def few_descriptors(spool: Spool) -> Any:
    """Stages with too few file descriptors for all files of one round."""
    spool.check()
    resource.setrlimit(resource.RLIMIT_NOFILE, (30, 30))
    failures = spool.stage(dict.fromkeys(NAMES, b"x"))
    return {
        "failures": told(failures),
        "staged": sorted(os.listdir(spool.settings.spool / "dialerd" / "staging")),
    }


def _mount(*options: str) -> None:
    subprocess.run(["mount", *options], check=True)


def _raised(act: Callable[[], object]) -> str:
    try:
        act()
    except DialerError as error:
        return type(error).__name__
    return ""


if __name__ == "__main__":
    DEED, SPOOL, USER = sys.argv[1:]
    print(json.dumps(globals()[DEED](Spool(SpoolSettings(Path(SPOOL), USER)))))
