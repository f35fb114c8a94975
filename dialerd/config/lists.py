"""The sections about stop lists."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

from dialerd.config.fields import Place, Section
from dialerd.core import texts

OPT_OUT = "opt-out"
"""The list that always exists: calls put their numbers on it."""

OPT_OUT_REASON = "asked not to be called"


class StopList(Section):
    """One list of numbers that must not be called. `file` None: in the state folder."""

    file: Place | None = None
    reason: Annotated[str, AfterValidator(partial(texts.bounded, most=200))] | None = None
    writable: bool = False
    salt_file: Place | None = None


def with_places(lists: Mapping[str, StopList], state_dir: Path) -> dict[str, StopList]:
    """The lists with their files, and the opt-out list, which calls must be able to write to, among them."""
    opt_out = lists.get(OPT_OUT, StopList())
    always = {"writable": True, "reason": opt_out.reason or OPT_OUT_REASON}
    return {
        name: each.model_copy(update={"file": each.file or default_file(state_dir, name)})
        for name, each in {**lists, OPT_OUT: opt_out.model_copy(update=always)}.items()
    }


def default_file(state_dir: Path, name: str) -> Path:
    """Where a list lies that names no file."""
    return state_dir / "stop-lists" / f"{name}.txt"
