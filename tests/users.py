"""Where the tests run as root, Asterisk and dialerd run as two unprivileged users, so that permissions mean
something. These need no entry in /etc/passwd. Elsewhere all runs as the one who runs the tests."""

import os
from collections.abc import Iterable
from pathlib import Path

ROOT = os.geteuid() == 0
ASTERISK_UID = 41001 if ROOT else os.geteuid()
ASTERISK_GID = 41001 if ROOT else os.getegid()
DIALERD_UID = 41002 if ROOT else os.geteuid()
DIALERD_GID = 41002 if ROOT else os.getegid()


def as_asterisk() -> list[str]:
    """The beginning of a command that runs the rest as Asterisk's user."""
    return _as(ASTERISK_UID, ASTERISK_GID, "--clear-groups", "--inh-caps=-all", "--bounding-set=-all")


def as_dialerd(capability: str = "chown") -> list[str]:
    """The beginning of a command that runs the rest as dialerd's user, who is in Asterisk's group.

    It has the one capability given, or none for "".
    """
    caps = f"-all,+{capability}" if capability else "-all"
    sets = (f"{option}={caps}" for option in ("--inh-caps", "--ambient-caps", "--bounding-set"))
    return _as(DIALERD_UID, DIALERD_GID, f"--groups={ASTERISK_GID}", *sets)


def give(path: Path, uid: int, gid: int, mode: int | None = None) -> Path:
    """Hands the path to a user; without root only the mode is set."""
    if ROOT:
        os.chown(path, uid, gid)
    if mode is not None:
        path.chmod(mode)
    return path


def share(paths: Iterable[Path]) -> None:
    """Opens folders of Asterisk's to its group, as an administrator does for dialerd: 2770."""
    for path in paths:
        give(path, ASTERISK_UID, ASTERISK_GID, 0o2770)


def _as(uid: int, gid: int, *options: str) -> list[str]:
    return ["setpriv", f"--reuid={uid}", f"--regid={gid}", *options, "--"] if ROOT else []
