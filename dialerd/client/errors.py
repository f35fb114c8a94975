"""What the client raises. Every text is a sentence that a person can act on."""

from collections.abc import Mapping
from typing import Any, NoReturn

from dialerd.client.fields import Mistake

DEFAULT_SOCKET = "/run/dialerd/dialerd.sock"
_CONFIG = "/etc/dialerd/dialerd.toml"


class ClientError(Exception):
    """The root of all errors of the client."""


class Unreachable(ClientError):
    """The daemon does not run, or does not answer."""


class NoPermission(ClientError):
    """The socket is not open to this user."""


class WaitTimeout(ClientError):
    """The job has not ended in the time given."""


class Problem(ClientError):
    """The daemon said no. `status` is HTTP's, `document` the whole problem document (RFC 9457)."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = dict(document)
        self.status = int(document.get("status", 0))
        self.mistakes: list[Mistake] = list(document.get("mistakes", ()))
        super().__init__(str(document.get("detail") or document.get("title") or "dialerd gave no reason."))


class Refused(Problem):
    """The request has mistakes; `mistakes` lists every one."""


class KeyConflict(Problem):
    """The key stands for another job already."""


class NoSuchJob(Problem):
    """There is no such job."""


class NotPermitted(Problem):
    """The caller's roles do not give the right that this takes."""


class NotAllowed(Problem):
    """The job's state does not allow this."""


class TryLater(Problem):
    """A bound is reached and nothing was accepted; ask again after `retry_after` seconds."""

    @property
    def retry_after(self) -> int:
        """Seconds."""
        return int(self.document.get("retry_after", 5))


class AccountRefused(Problem):
    """The provider refuses the account: its credentials, or its credit."""


class Unconfirmed(Problem):
    """The provider gave no clear answer: what was asked of it may have been done."""


_BY_STATUS: dict[int, type[Problem]] = {
    400: Refused,
    403: NotPermitted,
    404: NoSuchJob,
    409: NotAllowed,
    413: Refused,
    415: Refused,
    422: Refused,
    429: TryLater,
    502: AccountRefused,
    503: TryLater,
    504: Unconfirmed,
}


def raise_problem(status: int, document: Mapping[str, Any]) -> NoReturn:
    """Raises what the problem document stands for."""
    conflict = str(document.get("type", "")).endswith(":key-conflict")
    kind = KeyConflict if conflict else _BY_STATUS.get(status, Problem)
    raise kind({"status": status, **document})


def explain(error: OSError, path: str) -> ClientError:
    """Why there is no connection, and what to do about it."""
    if isinstance(error, PermissionError):
        return NoPermission(_no_permission(path))
    if isinstance(error, (FileNotFoundError, ConnectionRefusedError)):
        if path == DEFAULT_SOCKET and _is_missing(_CONFIG):
            return Unreachable(
                f"dialerd is not set up yet: there is no {_CONFIG}. Write it with: sudo dialerctl setup"
                " (or name the socket of another dialerd with --socket or $DIALERD_SOCKET)."
            )
        return Unreachable(
            f"dialerd does not run: nobody answers on {path}. Start it with: systemctl start dialerd"
            " (or: dialerd --config FILE), or name its socket with --socket or $DIALERD_SOCKET."
        )
    words = (error.strerror or str(error)).rstrip(".")
    return Unreachable(f"dialerd can't be reached on {path}: {words}.")


def _is_missing(path: str) -> bool:
    """Whether it certainly is not there; what may not be looked at may be."""
    from pathlib import Path

    try:
        Path(path).stat()
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return False


def _no_permission(path: str) -> str:
    import grp
    from pathlib import Path

    try:
        name = grp.getgrgid(Path(path).stat().st_gid).gr_name
    except (OSError, KeyError):
        return f"You may not use {path}. Ask the administrator for the group that may."
    return (
        f"You may not use {path}: it is open to the group {name}."
        f" Join it with: sudo usermod -aG {name} $USER, and log in anew."
    )
