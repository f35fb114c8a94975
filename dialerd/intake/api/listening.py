"""The listening socket: told from a dead daemon's left-over by connecting, and never open to the wrong
people.

The socket is bound under another name, gets its mode and group, and is only then renamed to its path: there
is no instant in which it has the mode that the process's umask gave it.

A socket that systemd opened (adopt) is looked at, given its mode and group, and left in its place at the end:
who connects while nobody accepts waits there. One whose file was removed (orphaned) can be reached by nobody.
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

BACKLOG = 4096
"""How many may wait to be accepted; the kernel's net.core.somaxconn bounds it."""

_PROBE_TIMEOUT_S = 2.0
_ASKED = 65536
_GONE = "its file is gone"
_CANT_START = (
    b'{"type":"urn:dialerd:problem:overloaded","title":"A bound is reached","status":503,"detail":'
    b'"dialerd can\'t start; its log says why (journalctl -u dialerd). Nothing was accepted."}'
)
_AWAY = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 10\r\nContent-Type: application/problem+json\r\n"
    b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (len(_CANT_START), _CANT_START)
)


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


def adopt(descriptor: int, settings: ApiSettings) -> socket.socket:
    """The socket that systemd opened, non-blocking, with the configured mode and group.

    Raises ConfigError where it is no socket that listens at the configured path.
    """
    path = settings.path
    group = _group_id(settings.group)
    try:
        listener = socket.socket(fileno=descriptor)
    except OSError as error:
        raise _foreign(path, f"it can't be used: {error.strerror}") from None
    try:
        if what := _unfit(listener, path):
            raise _foreign(path, what)
        try:
            os.chown(path, -1, group)
            path.chmod(settings.mode)
        except OSError as error:
            raise _wrong(_why_not(path, error)) from None
        listener.setblocking(False)
    except BaseException:
        listener.detach()
        raise
    return listener


def orphaned(descriptor: int, path: Path) -> bool:
    """Whether this is the socket that systemd opened at the path, but its file was removed or replaced since,
    so that who connects there does not come to it."""
    try:
        listener = socket.socket(fileno=descriptor)
    except OSError:
        return False
    try:
        what = _unfit(listener, path)
        return what == _GONE or (what is None and not _answers(path))
    finally:
        listener.detach()


def turn_away(descriptor: int) -> None:
    """Answers everybody who waits at a listening socket that dialerd can't start: nobody waits for nothing,
    and systemd does not start dialerd over and over for somebody who waits. Never raises."""
    with suppress(OSError):
        listener = socket.socket(fileno=os.dup(descriptor))
        with listener:
            listener.setblocking(False)
            for _ in range(BACKLOG):
                waiting, _ = listener.accept()
                with waiting, suppress(OSError):
                    waiting.setblocking(False)
                    waiting.sendall(_AWAY)
                    waiting.shutdown(socket.SHUT_WR)
                    waiting.recv(_ASKED)


def remove(path: Path, identity: tuple[int, int]) -> None:
    """Removes the socket file, unless another daemon has put its own in that place by now."""
    with suppress(OSError):
        if file_identity(path) == identity:
            path.unlink()


def file_identity(path: Path) -> tuple[int, int]:
    """Device and inode of a file. Raises OSError."""
    found = path.lstat()
    return found.st_dev, found.st_ino


def is_file(path: Path, identity: tuple[int, int]) -> bool:
    """Whether this file is still at its path; also where nobody can tell."""
    try:
        return file_identity(path) == identity
    except OSError as error:
        return error.errno != errno.ENOENT


def _unfit(listener: socket.socket, path: Path) -> str | None:
    """Why a socket is not the one that is configured; None where it is."""
    if listener.family != socket.AF_UNIX or listener.type != socket.SOCK_STREAM:
        return "it is no stream socket of the Unix domain (ListenStream=/a/path)"
    if not listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "nobody listens on it (Accept=no is what dialerd needs)"
    bound = listener.getsockname()
    if not isinstance(bound, str) or os.path.realpath(bound) != os.path.realpath(path):
        return f"it is bound to {bound or 'no path'}"
    if not path.is_socket():
        return _GONE
    return None


def _foreign(path: Path, what: str) -> ConfigError:
    return _wrong(
        f"The socket that systemd handed over is not the one at {path}: {what}. Let ListenStream= of"
        " dialerd.socket and path under [socket] name the same, then stop dialerd.service and start"
        " dialerd.socket; or do without it: systemctl disable --now dialerd.socket"
    )


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
