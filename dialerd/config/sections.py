"""The sections about dialerd's own ground: log, socket, queue, folders, Asterisk, AMI."""

import re
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr

from dialerd.config.fields import Account, Duration, Forever, Place, Section, bounds, file_mode, socket_path
from dialerd.core import texts

_UNIT = re.compile(r"[A-Za-z0-9:_.\\@-]{1,240}\.service")


class Log(Section):
    """What is logged, and how: with fields where systemd's journal reads along (auto), else as text."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "journal", "json", "text"] = "auto"


class Socket(Section):
    """The Unix socket that takes jobs. `group` may use it ("": nobody but the daemon's own group)."""

    path: Annotated[Place, AfterValidator(socket_path)]
    mode: Annotated[int, BeforeValidator(file_mode)] = 0o660
    group: Account = ""


class Queue(Section):
    """The bounds at which jobs are refused, and how long what ended is kept.

    `redact_after` and `keep` are seconds from the end of a job on, None for ever. Of what is held or due for
    longer than its limit the status tells.
    """

    max_jobs: Annotated[int, Field(ge=1, le=100_000_000)] = 2_000_000
    min_free_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 200
    keep: Annotated[Forever, bounds(3600, 3660 * 86400)] = 90 * 86400
    redact_after: Annotated[Forever, bounds(60, 3660 * 86400)] = None
    held_limit: Annotated[Duration, bounds(60, 366 * 86400)] = 86400
    due_limit: Annotated[Duration, bounds(60, 366 * 86400)] = 3600


class DropFolder(Section):
    """The folder that takes job files: it holds drop/, claimed/ and rejected/."""

    path: Place
    enabled: bool = True


def _unit(text: str) -> str:
    """The text itself, if it is the name of a service (systemd.unit(5)), or empty."""
    if text and not _UNIT.fullmatch(text):
        raise ValueError('Write the whole name of the unit, such as "asterisk.service".')
    return text


class Asterisk(Section):
    """Asterisk's spool, and what it may be given at once.

    `user` owns the call files ("": asterisk where there is one, else our own user); `longest_call` is in
    seconds. `service` is the unit that runs Asterisk ("": it is not watched).
    """

    spool: Place = Path("/var/spool/asterisk")
    user: Account = ""
    service: Annotated[str, AfterValidator(_unit)] = ""
    longest_call: Annotated[Duration, bounds(60, 7 * 86400)] = 4 * 3600
    max_calls: Annotated[int, Field(ge=1, le=20_000)] = 200


class Ami(Section):
    """How to reach AMI. The secret is read from `secret_file`, or else from systemd's credential."""

    host: Annotated[str, AfterValidator(partial(texts.bounded, most=253))] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5038
    username: Annotated[str, AfterValidator(partial(texts.bounded, most=79))] = "dialerd"
    secret_file: Place | None = None
    _secret: SecretStr = PrivateAttr(default=SecretStr(""))

    @property
    def secret(self) -> str:
        """The password in clear. Hand it to AMI's login and to nothing else."""
        return self._secret.get_secret_value()
