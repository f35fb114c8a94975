"""Placing a call by a call file written by hand, as the daemon would name it."""

import itertools
import os

from tests.asterisk import Asterisk
from tests.users import ASTERISK_GID, ASTERISK_UID, give

_numbers = itertools.count(1)


def place(asterisk: Asterisk, channel: str, action: str) -> str:
    """Moves a call file into the spool; `action` is its further lines. Returns the file's name."""
    attempt = f"0test{os.getpid()}x{next(_numbers)}.1"
    lines = [
        f"Channel: {channel}",
        "MaxRetries: 0",
        "RetryTime: 31536000",
        "Archive: yes",
        f"Setvar: DIALERD_ATTEMPT={attempt}",
        action,
    ]
    staged = asterisk.spool / f"{attempt}.call"
    staged.write_text("\n".join(lines) + "\n")
    give(staged, ASTERISK_UID, ASTERISK_GID, 0o660)
    staged.rename(asterisk.outgoing / staged.name)
    return staged.name
