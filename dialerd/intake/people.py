"""Whose roles count: the groups of users as the kernel or the group database tells them."""

import os
import pwd
import socket
import struct
from dataclasses import dataclass

from dialerd.core.roles import Roles

_CREDENTIALS = struct.Struct("iII")
"""struct ucred of unix(7): pid, uid, gid."""

_SO_PEERGROUPS = 59
"""Of include/uapi/asm-generic/socket.h, since Linux 4.13; Python has no name for it."""

_MOST_BYTES = 1024
"""The most that Python's getsockopt takes: 256 groups of 4 bytes."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of a Unix socket: his uid, and all groups that his process had when it
    connected."""

    uid: int
    groups: frozenset[int]


def peer_of(plug: socket.socket) -> Peer:
    """The peer by the kernel's word (SO_PEERCRED, SO_PEERGROUPS: unix(7)).

    A kernel that does not know the groups, or more groups than fit, leave those that the group database has
    for him.
    """
    _pid, uid, gid = _CREDENTIALS.unpack(
        plug.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    )
    try:
        found = plug.getsockopt(socket.SOL_SOCKET, _SO_PEERGROUPS, _MOST_BYTES)
        groups = frozenset(struct.unpack(f"{len(found) // 4}I", found))
    except OSError:
        groups = groups_of(uid)
    return Peer(uid, groups | {gid})


def groups_of(uid: int) -> frozenset[int]:
    """The groups that the group database has for a user; none for one who is not in the user database."""
    try:
        user = pwd.getpwuid(uid)
    except KeyError:
        return frozenset()
    return frozenset(os.getgrouplist(user.pw_name, user.pw_gid))


def default_roles() -> Roles:
    """The roles where none are configured: root and dialerd's own user may do everything, all others what
    members may."""
    return Roles(admins=frozenset({0, os.geteuid()}))
