"""Where AMI's secret comes from: a file that only its owner can read, or systemd's credential. Never argv or
environment."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from dialerd.core.errors import Mistake

CREDENTIAL = "ami_secret"
"""The name under which systemd hands over the secret (LoadCredential=ami_secret:...)."""

_LARGEST = 4096


def read_secret(ami: object, environ: Mapping[str, str], mistakes: list[Mistake]) -> str:
    """AMI's secret, or "" where there is no section [ami] or a mistake was found."""
    if not isinstance(ami, dict):
        return ""
    named, folder = ami.get("secret_file"), environ.get("CREDENTIALS_DIRECTORY")
    if named is not None and not isinstance(named, str):
        return ""
    path = Path(named or f"{folder}/{CREDENTIAL}")
    if not named and (folder is None or not path.exists()):
        what = (
            f"AMI needs a secret: name its file here, or hand it over as systemd's credential {CREDENTIAL}."
        )
        mistakes.append(Mistake("ami.secret_file", what))
        return ""
    try:
        return _secret_in(path, by_systemd=folder is not None and path.parent == Path(folder))
    except OSError as error:
        mistakes.append(Mistake("ami.secret_file", f"{path} can't be read: {error.strerror}."))
    except ValueError as error:
        mistakes.append(Mistake("ami.secret_file", str(error)))
    return ""


def _secret_in(path: Path, by_systemd: bool) -> str:
    """The text of a secret's file. systemd's own credentials may show a group bit (an ACL's mask), others may
    not."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError(f"{path} is not a file.")
        if not by_systemd and status.st_mode & 0o077:
            raise ValueError(f"{path} can be read by others than its owner: chmod 0600 {path}")
        if not by_systemd and status.st_uid not in (0, os.geteuid()):
            raise ValueError(
                f"{path} belongs to user {status.st_uid}: it must be root's or the daemon's own."
            )
        data = file.read(_LARGEST + 1)
    text = data.decode(errors="replace").removesuffix("\n").removesuffix("\r")
    if not text or len(data) > _LARGEST or not text.isprintable():
        raise ValueError(f"{path} must hold the secret and nothing else: one line of text.")
    return text
