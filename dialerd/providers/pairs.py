"""Fields of requests: those of ours that have a value, and those of the provider's own that a job gives."""

from collections.abc import Collection, Iterable, Iterator

from dialerd.core.errors import Mistake
from dialerd.core.tasks import Extra
from dialerd.providers.wire import Pairs

GIVE = "give it here, or as {} in the provider's section of the configuration."
"""How a sentence goes on about what a provider needs, and has a setting for."""


def given(fields: Iterable[tuple[str, str | None]]) -> Pairs:
    """The fields that have a value."""
    return tuple((name, value) for name, value in fields if value is not None)


def merged(fields: Iterable[tuple[str, str | None]], extra: Extra) -> Pairs:
    """The fields that have a value, then the job's own, which stand in place of ours with the same name."""
    theirs = {name for name, _ in extra}
    return (*(pair for pair in given(fields) if pair[0] not in theirs), *extra)


def against_extra(extra: Extra, reserved: Collection[str]) -> Iterator[Mistake]:
    """Fields that a job may not set by itself: whom it is for, what is said, where receipts go."""
    for name in sorted({name for name, _ in extra} & set(reserved)):
        yield Mistake("extra", f"{name} is set by dialerd itself: take it out.")
