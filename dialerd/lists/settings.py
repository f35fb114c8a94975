"""What the configuration says of one stop list."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ListFile:
    """A stop list. `reason` is told to users; `writable`: dialerd may add to it.

    `own`: it lies in dialerd's own state folder, and is made where it is not there yet. `salt_path`: a file
    whose text stands before a number when it is hashed; numbers added to such a list are hashed.
    """

    name: str
    path: Path
    reason: str = ""
    writable: bool = False
    own: bool = False
    salt_path: Path | None = None
