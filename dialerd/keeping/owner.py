"""Root works on a state folder as the folder's owner.

What lies there is the daemon's: a daemon that somebody took over could leave links and names in it that lead
elsewhere, and wait for root to follow them. So root gives up its rights for as long as it works there. All
that is made then is the owner's at once, whenever it ends.
"""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def as_owner(folder: Path) -> Iterator[None]:
    """Meanwhile the whole process has the rights of the folder's owner, and no more. Nothing happens where it
    is not root's, the folder is root's own, or is not there."""
    if os.geteuid() != 0 or not folder.is_dir() or folder.stat().st_uid == 0:
        yield
        return
    about, groups, group = folder.stat(), os.getgroups(), os.getegid()
    os.setgroups([])
    os.setegid(about.st_gid)
    os.seteuid(about.st_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def pieces_as_owner(pieces: Generator[bytes, None, None], folder: Path) -> Iterator[bytes]:
    """The same pieces, each of them made as the folder's owner; between them we are who we were."""
    try:
        while True:
            with as_owner(folder):
                piece = next(pieces, b"")
            if not piece:
                return
            yield piece
    finally:
        with as_owner(folder):
            pieces.close()
