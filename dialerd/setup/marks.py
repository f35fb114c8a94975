"""The first line of each file that setup writes. It says who wrote it, and carries a digest of the rest.

So a later setup knows its own files from those that a person wrote or changed, and leaves those alone.
"""

import re
from enum import Enum
from hashlib import sha256

_SAYS = "Written by `dialerctl setup`, which writes it again as long as nobody changes it. Digest:"
_MARK = re.compile(rf"[#;] {re.escape(_SAYS)} ([0-9a-f]{{64}})\n")


class Found(Enum):
    """What stands where setup wants to write."""

    NOTHING = "new"
    SAME = "unchanged"
    OURS = "to be replaced"
    EDITED = "changed by hand"
    FOREIGN = "not written by setup"


def signed(body: str, comment: str = "#") -> str:
    """The text with its first line; `comment` is what begins a comment in such files."""
    return f"{comment} {_SAYS} {_digest(body)}\n{body}"


def compared(there: str | None, text: str) -> Found:
    """What the text of a file that is there (None: there is none) is, to who would write `text`."""
    if there is None:
        return Found.NOTHING
    if there == text:
        return Found.SAME
    mark = _MARK.match(there)
    if mark is None:
        return Found.FOREIGN
    return Found.OURS if _digest(there[mark.end() :]) == mark[1] else Found.EDITED


def _digest(body: str) -> str:
    return sha256(body.encode(errors="surrogateescape")).hexdigest()
