"""Restore: a backup becomes the state. Only while no dialerd runs; nothing is done twice because of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from dialerd.core.errors import Broken, ConfigError, Mistake
from dialerd.keeping import placing
from dialerd.keeping.archive import unpack
from dialerd.keeping.carrying import carry_over
from dialerd.keeping.holding import hold_all
from dialerd.keeping.manifest import Manifest, Unfit
from dialerd.keeping.members import JOBS, REPORTS, in_use
from dialerd.keeping.owner import as_owner
from dialerd.lock import hold, let_go
from dialerd.store.reports_file import STEPS as REPORT_STEPS
from dialerd.store.schema import STEPS
from dialerd.store.sqlite import SqliteStore

MADE_BY = {JOBS: STEPS, REPORTS: REPORT_STEPS}
_MEND = (
    "That is said of the backup: unpack it into an empty folder (tar -xzf FILE -C FOLDER), mend it there"
    " (dialerctl fsck --repair --state-dir FOLDER), make a backup of that (dialerctl backup --offline NEW"
    " --state-dir FOLDER), and restore NEW."
)
KNOWN = {name: len(steps) for name, steps in MADE_BY.items()}
"""The databases, and the versions of their tables that this dialerd brings them to."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did. `held`: jobs that wait for a person; `aside`: where the old state is, or nothing;
    `notes`: what else is to be said, in sentences."""

    manifest: Manifest
    held: int
    aside: str
    notes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Ready for JSON."""
        told = {"held": self.held, "aside": self.aside or None, "notes": list(self.notes)}
        return {"backup": self.manifest.summary(), **told}


@contextmanager
def seize(state: Path) -> Iterator[None]:
    """No dialerd works on a state folder meanwhile, and we do so with its owner's rights. Raises ConfigError
    where one does."""
    if not state.is_dir():
        what = f"There is no such folder. Make it: install -d -m 0700 -o dialerd -g dialerd {state}"
        raise ConfigError([Mistake(str(state), what)])
    with as_owner(state):
        held = hold(state, "the state folder")
        try:
            yield
        finally:
            let_go(held)


def restore(file: BinaryIO, state: Path, replace: bool, moved: bool, now: datetime | None = None) -> Restored:
    """Puts a backup in the place of the state; the caller holds the folder (seize). `replace`: another state
    may be moved aside. `moved`: the queue goes on as after a restart, which only a backup of a stopped
    dialerd allows. Raises Unfit, Broken; then the old state is as it was."""
    now = now or datetime.now(UTC)
    placing.finish(state)
    if in_use(state) and not replace:
        raise Unfit(
            f"There is a state in {state} already. --replace moves it aside; nothing of it is deleted."
        )
    making = placing.begin(state)
    try:
        manifest = unpack(file, making)
        _check(manifest, moved)
        held = _make_ready(making, manifest, moved, now)
        notes = carry_over(state, making, now) if in_use(state) else []
        placing.commit(state, _aside(state, now))
    except BaseException:
        placing.abandon(state)
        raise
    aside = placing.finish(state)
    return Restored(manifest, held, aside or "", tuple(notes))


def _aside(state: Path, now: datetime) -> str:
    """Where the old state goes: a folder that is not there yet, however soon after the last restore."""
    name = f"before-restore-{now:%Y%m%dT%H%M%SZ}"
    names = (name, *(f"{name}.{count}" for count in range(2, 1000)))
    return next(each for each in names if not (state / each).exists())


def _check(manifest: Manifest, moved: bool) -> None:
    """Raises Unfit for a backup that can't be restored here."""
    for name, version in manifest.schemas.items():
        if version > KNOWN.get(name, 0):
            raise Unfit(
                f"The backup was made by dialerd {manifest.version}: its {name} has tables of version"
                f" {version}, and this dialerd knows them up to {KNOWN.get(name, 0)}."
                f" Install dialerd {manifest.version} or newer to restore it."
            )
    if JOBS not in {member.name for member in manifest.members}:
        raise Unfit("The backup has no queue.")
    if moved and not manifest.stopped:
        raise Unfit(
            "--moved is for a backup that was made after dialerd was stopped for good; this one was made"
            " while it ran, so that jobs in it may have been done since. Leave --moved out."
        )


def _make_ready(making: Path, manifest: Manifest, moved: bool, now: datetime) -> int:
    """Migrates the queue, begins new ranges of numbers, and holds what is not over; how many jobs that
    were."""
    with _opened(making) as store:
        with store.transaction():
            store.mark_restored(now)
        try:
            return 0 if moved else hold_all(store, manifest.taken, now)
        except Broken as error:
            raise Broken(f"{error} {_MEND}" if "is damaged" in str(error) else str(error)) from error


@contextmanager
def _opened(folder: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(folder)
    try:
        yield store
    finally:
        store.close()
