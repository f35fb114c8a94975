"""Where secrets come from: files that only their owner can read, or systemd's credentials. Never argv or
environment."""

import os
import pwd
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from dialerd.core.errors import Mistake

_LARGEST = 4096
_OF_FOLDER = "dialerd_"
_OF_SERVICE = "/etc/dialerd/credentials"
"""The folder that dialerd.service names in LoadCredential=."""

SERVICE_USER = "dialerd"
"""Who dialerd.service runs as."""


def read_secret(
    section: object,
    where: str,
    credential: str,
    environ: Mapping[str, str],
    mistakes: list[Mistake],
    key: str = "secret_file",
) -> str | None:
    """The secret in the file that a section (a table of TOML, at `where`) names as `key`, or else in
    systemd's credential of this name (LoadCredential=NAME:...), or of a file of this name in the folder that
    dialerd.service hands over (LoadCredential=dialerd:..., which puts dialerd_ before it).

    None where there is neither; "" where what is there is a mistake, which is added.
    """
    named = section.get(key) if isinstance(section, dict) else None
    if named is not None and not isinstance(named, str):
        return ""
    folder = environ.get("CREDENTIALS_DIRECTORY")
    path = _credential(folder, credential) if named is None else Path(named)
    if path is None:
        return None
    by_systemd = folder is not None and path.parent == Path(folder)
    service = _service_uid() if folder == _OF_SERVICE else None
    cure = f"chown {SERVICE_USER} {path}, or leave {key} out and put it into {_OF_SERVICE}/{credential}"
    try:
        if named is not None and service is not None:
            return _secret_in(path, False, {service}, f"the service runs as {SERVICE_USER}: {cure}")
        return _secret_in(path, by_systemd, {0, os.geteuid()}, "it must be root's or the daemon's own.")
    except PermissionError as error:
        mistakes.append(Mistake(f"{where}.{key}", f"{path} can't be read: {error.strerror}. Try: {cure}"))
    except OSError as error:
        mistakes.append(Mistake(f"{where}.{key}", f"{path} can't be read: {error.strerror}."))
    except ValueError as error:
        mistakes.append(Mistake(f"{where}.{key}", str(error)))
    return ""


def as_the_service(environ: Mapping[str, str], folder: str = _OF_SERVICE) -> Mapping[str, str]:
    """The environment that the service would have, as far as its secrets go: for looking at a configuration
    from outside. Only root may look into their folder."""
    if "CREDENTIALS_DIRECTORY" in environ or not os.access(folder, os.R_OK | os.X_OK):
        return environ
    return {**environ, "CREDENTIALS_DIRECTORY": folder}


def _credential(folder: str | None, name: str) -> Path | None:
    """systemd.exec(5), LoadCredential=: a file NAME of a folder arrives under the folder's id, _ and NAME."""
    if folder is None or "/" in name:
        return None
    found = (Path(folder, name), Path(folder, _OF_FOLDER + name))
    return next((path for path in found if path.exists()), None)


def _secret_in(path: Path, by_systemd: bool, owners: set[int], else_: str) -> str:
    """The text of a secret's file, which one of `owners` has. systemd's own credentials may show a group bit
    (an ACL's mask), others may not."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path} is not a file.")
        if not by_systemd and status.st_mode & 0o077:
            raise ValueError(f"{path} can be read by others than its owner: chmod 0600 {path}")
        if not by_systemd and status.st_uid not in owners:
            raise ValueError(f"{path} belongs to user {status.st_uid}: {else_}")
        data = file.read(_LARGEST + 1)
    text = data.decode(errors="replace").removesuffix("\n").removesuffix("\r")
    if not text or len(data) > _LARGEST or not text.isprintable():
        raise ValueError(f"{path} must hold the secret and nothing else: one line of text.")
    return text


def _service_uid() -> int | None:
    with suppress(KeyError):
        return pwd.getpwnam(SERVICE_USER).pw_uid
    return None
