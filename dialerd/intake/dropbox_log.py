"""What the log says of files that make trouble: where and of what kind, never what the submitter wrote."""

import os
import re
import traceback

from dialerd.core.errors import Broken, InvalidJob

_PLACE = re.compile(r"(?:line|column|row) [0-9]{1,12}")


def first_place(error: InvalidJob) -> str:
    """Where the first mistake stands, as far as that repeats nothing of the file."""
    found = _PLACE.match(error.mistakes[0].where)
    return found[0] if found else "the file"


def trouble(error: Exception) -> str:
    """What went wrong. Of a bug only its kind and its place: its message may hold a value of the file."""
    if isinstance(error, OSError | Broken):
        return repr(error)
    frames = traceback.extract_tb(error.__traceback__)[-5:]
    places = " > ".join(f"{os.path.basename(each.filename)}:{each.lineno}" for each in frames)
    return f"{type(error).__name__} at {places}"
