"""What of the state folder is kept in a backup, and by which names."""

import os
import re
import stat
from collections.abc import Iterator
from pathlib import Path

from dialerd.core.documents import ID
from dialerd.store import reports_file, sqlite

JOBS, REPORTS = sqlite.FILE_NAME, reports_file.FILE_NAME
NUMBERS, KEY = "numbers.json", "listener.key"
LISTS, DOCUMENTS = "stop-lists", "documents"
FILES, FOLDERS = (JOBS, REPORTS, NUMBERS, KEY), (LISTS, DOCUMENTS)
BESIDE = tuple(f"{name}{end}" for name in (JOBS, REPORTS) for end in ("-wal", "-shm", "-journal"))
"""What SQLite keeps beside a file of its own (https://sqlite.org/tempfiles.html)."""

ALL = (*FILES, *BESIDE, *FOLDERS)
"""Every name in the state folder that is a part of the state."""

_DOCUMENT = re.compile(rf"{DOCUMENTS}/{ID}(\.[0-9]{{1,10}})?")
_LIST = re.compile(rf"{LISTS}/[^/.\0][^/\0]{{0,200}}")


def is_member(name: str) -> bool:
    """Whether a backup may have a file of this name: nothing else is ever written to the state folder."""
    return name in FILES or bool(_DOCUMENT.fullmatch(name) or _LIST.fullmatch(name))


def small_files(state: Path) -> Iterator[str]:
    """The members but for the databases, as they are there now."""
    yield from (name for name in (NUMBERS, KEY) if _is_file(state / name))
    for folder in FOLDERS:
        names = sorted(os.listdir(state / folder)) if (state / folder).is_dir() else []
        found = (f"{folder}/{name}" for name in names)
        yield from (name for name in found if is_member(name) and _is_file(state / name))


def in_use(state: Path) -> bool:
    """Whether anything of a state lies in the folder."""
    for name in ALL:
        path = state / name
        if path.is_dir() and any(path.iterdir()):
            return True
        if path.is_file():
            return True
    return False


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False
