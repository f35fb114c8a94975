"""The listening socket: told from a dead daemon's left-over by connecting, and never open to the wrong
people.

The socket is bound under another name, gets its mode and group, and is only then renamed to its path: there
is no instant in which it has the mode that the process's umask gave it.
"""

import errno
import grp
import os
import socket
import stat
from contextlib import suppress
from pathlib import Path

from dialerd.core.errors import ConfigError, Mistake
from dialerd.intake.api.settings import ApiSettings

MAX_PATH = 107
"""unix(7): sun_path has 108 bytes, of which the last is a NUL."""

BACKLOG = 512
_PROBE_TIMEOUT_S = 2.0


def listen(settings: ApiSettings) -> socket.socket:
    """A non-blocking socket that listens at the path. Raises ConfigError in sentences."""
    path = settings.path
    _check_path(path)
    group = _group_id(settings.group)
    _refuse_where_taken(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _bind(listener, path, settings.mode, group)
    except BaseException:
        listener.close()
        raise
    listener.setblocking(False)
    return listener


def remove(path: Path, identity: tuple[int, int]) -> None:
    """Removes the socket file, unless another daemon has put its own in that place by now."""
    with suppress(OSError):
        if file_identity(path) == identity:
            path.unlink()


def file_identity(path: Path) -> tuple[int, int]:
    """Device and inode of a file. Raises OSError."""
    found = path.lstat()
    return found.st_dev, found.st_ino


def _check_path(path: Path) -> None:
    if not path.is_absolute():
        raise _wrong(
            f"{path} is not an absolute path. Write it from the root, such as /run/dialerd/dialerd.sock."
        )
    if (length := len(os.fsencode(path))) > MAX_PATH:
        raise _wrong(
            f"The path {path} has {length} bytes; a Unix socket's may have {MAX_PATH}. Choose a shorter one."
        )
    if not path.parent.is_dir():
        raise _wrong(f"There is no folder {path.parent}. Create it, owned by the user that dialerd runs as.")


def _group_id(name: str) -> int:
    if not name:
        return -1
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        raise ConfigError(
            [
                Mistake(
                    "socket.group",
                    f"There is no group {name!r} on this machine. Create it with: groupadd {name}",
                )
            ]
        ) from None


def _refuse_where_taken(path: Path) -> None:
    """Raises ConfigError where something lives at the path.

    A socket that nobody answers on is a left-over.
    """
    try:
        kind = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise _wrong(f"{path} can't be looked at: {error.strerror}.") from None
    if not stat.S_ISSOCK(kind):
        raise _wrong(f"{path} exists and is not a socket. Move it away, or choose another path.")
    if _answers(path):
        raise _wrong(f"Another daemon answers on {path}. Stop it first, or give this one another path.")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_PROBE_TIMEOUT_S)
        try:
            probe.connect(os.fspath(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except (BlockingIOError, TimeoutError, PermissionError):
            return True  # its queue is full, or it is somebody else's: alive as far as we can tell
    return True


def _bind(listener: socket.socket, path: Path, mode: int, group: int) -> None:
    temporary = path.with_name(("_" if path.name.startswith(".") else ".") + (path.name[1:] or "_"))
    try:
        if temporary.is_socket():
            temporary.unlink()
        listener.bind(os.fspath(temporary))
        temporary.chmod(mode)
        if group != -1:
            os.chown(temporary, -1, group)
            temporary.chmod(mode)
        listener.listen(BACKLOG)
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise _wrong(_why_not(path, error)) from None


def _why_not(path: Path, error: OSError) -> str:
    if error.errno == errno.EPERM:
        return f"dialerd may not give {path} to the configured group. Add its user to that group."
    if error.errno in (errno.EACCES, errno.EROFS):
        return f"The folder {path.parent} is not writable for dialerd. Make dialerd's user its owner."
    return f"The socket {path} can't be made: {error.strerror}."


def _wrong(what: str) -> ConfigError:
    return ConfigError([Mistake("socket.path", what)])
