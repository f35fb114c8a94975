"""The spool guard: what asterisk.service runs as dialerd's user before Asterisk starts and after it ended.

    python -m dialerd.pbx.guard after SPOOL     brings what Asterisk wrote to disk, and leaves a mark
    python -m dialerd.pbx.guard before SPOOL    sets aside (dialerd/doubt) what may have been begun

Asterisk marks a call file as begun without a sync to disk. After a power cut the mark may be lost, and then
the next Asterisk would call again what it finds. So without the mark of a seen end every call file of
dialerd's is set aside, and with it those that were begun; dialerd holds their jobs, in doubt. Other programs'
files are not touched. It never keeps Asterisk from starting (the unit ignores how it ends).
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path
from typing import BinaryIO

from dialerd.pbx.callfile import ATTEMPT
from dialerd.pbx.folders import OURS, Folder, Folders, remove_file, rename_into, verdict

ENDED = "asterisk-ended"
"""The mark, in our folder of the spool: Asterisk has ended, and what it wrote is on disk."""

_BEGUN = b"StartRetry:"
_MOST_BYTES = 1 << 20


def after(spool: Path) -> int:
    """Asterisk has ended: brings what it wrote to disk, then leaves the mark. How many files of ours there
    are. Raises OSError."""
    with Folders(spool).opened(Folder.OUTGOING) as (outgoing,):
        names = list(_ours(outgoing))
        for name in names:
            with suppress(FileNotFoundError), _opened(outgoing, name) as file:
                os.fsync(file.fileno())
        os.fsync(outgoing)
    with _our_folder(spool) as ours:
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        os.close(os.open(ENDED, flags, 0o600, dir_fd=ours))
        os.fsync(ours)
    return len(names)


def before(spool: Path) -> list[str]:
    """Asterisk is about to start: sets aside what it must not find. Returns the names. Raises OSError, where
    some can't be moved only after all others are."""
    seen = _take_mark(spool)
    with Folders(spool).opened(Folder.OUTGOING, Folder.DOUBT) as (outgoing, doubt):
        aside = [name for name in _ours(outgoing) if not seen or _begun(outgoing, name)]
        left = {name: error for name in aside if (error := _set_aside(outgoing, name, doubt))}
        if aside:
            os.fsync(doubt)
            os.fsync(outgoing)
    if left:
        first = next(iter(left.values()))
        what = f"{first.strerror}, so these stay in outgoing, and Asterisk may call them again"
        raise OSError(0, f"{what}: {', '.join(left)}")
    return aside


def _take_mark(spool: Path) -> bool:
    """Whether Asterisk's end was seen. The mark goes first, for good: it speaks of that end only, and
    Asterisk starts even where nothing can be set aside."""
    with _our_folder(spool) as ours:
        seen = ENDED in os.listdir(ours)
        remove_file(ours, ENDED)
        os.fsync(ours)
        return seen


@contextmanager
def _our_folder(spool: Path) -> Iterator[int]:
    at = os.open(spool / OURS, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        yield at
    finally:
        os.close(at)


def _ours(folder: int) -> Iterator[str]:
    """The names of call files of ours."""
    for name in sorted(os.listdir(folder)):
        if name.endswith(".call") and ATTEMPT.fullmatch(name.removesuffix(".call")):
            yield name


def _opened(folder: int, name: str) -> BinaryIO:
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    return os.fdopen(os.open(name, flags, dir_fd=folder), "rb")


def _begun(folder: int, name: str) -> bool:
    """Whether Asterisk wrote into it that it began the call; what can't be read may have been begun."""
    try:
        with _opened(folder, name) as file:
            return any(line.startswith(_BEGUN) for line in file.read(_MOST_BYTES).splitlines())
    except FileNotFoundError:
        return False
    except OSError:
        return True


def _set_aside(outgoing: int, name: str, doubt: int) -> OSError | None:
    """Why it could not be done, if so: one that can't be moved must not keep the others where they are."""
    for number in count(1):
        try:
            rename_into(outgoing, name, doubt, f"{name}.{number}" if number > 1 else name)
        except FileExistsError:
            continue
        except FileNotFoundError:
            return None
        except OSError as error:
            return error
        return None
    return None


def main(arguments: list[str]) -> int:
    """Does what the first argument says, in the spool that the second names. The exit code."""
    if len(arguments) != 2 or arguments[0] not in ("before", "after"):
        print("Usage: python -m dialerd.pbx.guard before|after /var/spool/asterisk", file=sys.stderr)
        return 64
    spool = Path(arguments[1])
    try:
        if arguments[0] == "after":
            after(spool)
        elif aside := before(spool):
            print(f"{len(aside)} call files may have been begun, and are set aside in {spool}/dialerd/doubt:")
            print("\n".join(aside))
    except OSError as error:
        print(verdict(error, "look after", spool), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
