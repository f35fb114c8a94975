"""What another user may do in a folder, by its mode and its access list.

Facts: acl(5), "Access check algorithm"; linux/posix_acl_xattr.h for how the kernel writes a list.
"""

import grp
import os
import pwd
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dialerd.core.findings import Finding, error, skipped

READ, WRITE, SEARCH = 4, 2, 1
_LIST = "system.posix_acl_access"
_HEAD, _ENTRY = struct.Struct("<I"), struct.Struct("<HHI")
_OWNER, _USER, _OWNERS_GROUP, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20


def asterisks(outgoing: Path, uid: int | None) -> Iterator[Finding]:
    """Whether Asterisk can take call files: it must list `outgoing`, write to files and remove them."""
    if uid is None:
        return
    needed = ((outgoing.parent, SEARCH, "look into"), (outgoing, READ | WRITE | SEARCH, "read and write in"))
    try:
        closed = [(path, what) for path, all_of, what in needed if not may(path, uid, all_of)]
    except OSError as trouble:
        yield skipped("spool", f"{outgoing} can't be looked at: {trouble.strerror}.")
        return
    for path, what in closed:
        found = f"{_name(uid)}, whom Asterisk is said to run as, may not {what} {path}: no call is made."
        todo = f"Run: chown {_name(uid)} {path}; chmod u+rwx {path}; or set user under [asterisk]."
        yield error("spool", found, todo)


def may(path: Path, uid: int, all_of: int) -> bool:
    """Whether this user may do all of that (bits of READ, WRITE, SEARCH). Raises OSError where it can't be
    looked at."""
    state, groups = path.stat(), _groups(uid)
    entries = _entries(path) or [
        (_OWNER, state.st_mode >> 6 & 7, 0),
        (_OWNERS_GROUP, state.st_mode >> 3 & 7, 0),
        (_OTHER, state.st_mode & 7, 0),
    ]
    mask = next((bits for tag, bits, _ in entries if tag == _MASK), 7)
    if uid == 0:
        return True
    if uid == state.st_uid:
        granted = [bits for tag, bits, _ in entries if tag == _OWNER]
    elif own := [bits & mask for tag, bits, of in entries if tag == _USER and of == uid]:
        granted = own
    else:
        granted = [
            bits & mask
            for tag, bits, of in entries
            if (tag == _OWNERS_GROUP and state.st_gid in groups) or (tag == _GROUP and of in groups)
        ] or [bits for tag, bits, _ in entries if tag == _OTHER]
    return any(bits & all_of == all_of for bits in granted)


def _entries(path: Path) -> list[tuple[int, int, int]]:
    """The access list: tag, rights and id of each entry; empty where there is none."""
    with suppress(OSError, struct.error):
        data = os.getxattr(path, _LIST)
        return list(_ENTRY.iter_unpack(data[_HEAD.size :]))
    return []


def _groups(uid: int) -> set[int]:
    try:
        known = pwd.getpwuid(uid)
    except KeyError:
        return set()
    listed = {each.gr_gid for each in grp.getgrall() if known.pw_name in each.gr_mem}
    return {known.pw_gid, *listed}


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
