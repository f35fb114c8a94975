"""The drop folder: job files in, jobs or reasons out.

What lies in `claimed` is worked off first, then what is settled in `drop`: claimed by a rename, read,
submitted, and removed once all of it is on disk. The truth is a listing; `wake` only makes it happen sooner.
A file that makes trouble is put off, and does not stop the others.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from dialerd.core.documents import Documents
from dialerd.core.errors import InvalidJob
from dialerd.core.meters import NOBODY
from dialerd.core.policy import Rules
from dialerd.core.roles import Permits, Roles
from dialerd.intake import dropbox_files as files
from dialerd.intake.dropbox_companions import Companions
from dialerd.intake.dropbox_desk import Counter, Desk, Stopped
from dialerd.intake.dropbox_files import Awaited, Changed, Claim, DropSettings, shown
from dialerd.intake.dropbox_listing import Listing
from dialerd.intake.dropbox_log import first_place, trouble
from dialerd.intake.dropbox_owners import Owners
from dialerd.intake.dropbox_reading import BLOCK_BYTES, Item, ParseCallfile, Reading, check_submitter
from dialerd.intake.dropbox_rejects import KEPT, Rejects, told
from dialerd.intake.people import default_roles
from dialerd.log import get_logger

__all__ = ["DropSettings", "Dropbox"]
log = get_logger(__name__)

_MOST_LONG = 16
"""So many small files of many rows are open at a time; each gets a block in turn."""

_MOST_LARGE, _MOST_LARGE_OF_ONE = 16, 4
"""So many large files, and of one owner, are open; more of them wait, and no small file waits for them."""

_LONGEST_PAUSE_S = 300.0
_DESK_FAILURES = 3


class _DeskDown(Exception):
    """The desk failed several times in a row: it is not the files."""


@dataclass(slots=True)
class _Later:
    """A claim that is looked at again when due (monotonic seconds). `alone`: in a commit of its own."""

    due: float
    tries: int
    alone: bool


class Dropbox:
    """Watches over one drop folder in a thread of its own."""

    def __init__(
        self,
        settings: DropSettings,
        desk: Desk,
        rules: Rules,
        parse_callfile: ParseCallfile,
        clock: Callable[[], float] = time.time,
        roles: Roles | None = None,
        documents: Documents | None = None,
    ) -> None:
        self._settings, self._parse_callfile, self._clock = settings, parse_callfile, clock
        self._documents, self.meters = documents, NOBODY
        self.reconfigure(rules, roles)
        self._stopping, self._woken, self._lock = threading.Event(), threading.Event(), threading.Lock()
        self._thread = threading.Thread(target=self._run, name="drop folder", daemon=True)
        self._counter = Counter(desk, settings, self._stopping)
        self._desk_failures = 0
        self._closed: set[str] = set()
        self._later: dict[str, _Later] = {}
        self._open: dict[str, Reading] = {}
        self._batch: list[Item] = []
        self._ended: list[Reading] = []

    def reconfigure(self, rules: Rules, roles: Roles | None = None) -> None:
        """From now on these count, for what is left of open files too. From any thread."""
        self._owners = Owners(Permits(rules, default_roles() if roles is None else roles))

    def start(self) -> None:
        """Makes the folders where they are missing, and starts. Raises ConfigError."""
        self.prepare()
        self._thread.start()

    def prepare(self) -> None:
        """Makes the folders where they are missing. Raises ConfigError for those that can't be used."""
        folders = files.prepare(self._settings)
        self._rejects = Rejects(folders.rejected)
        self._kept = list(folders.claimed.glob(f"{KEPT}*"))
        self._listing = Listing(folders, self._settings, self._rejects, self._clock)
        self._companions = Companions(folders, self._settings, self._documents, self._clock)
        self._companions.tidy()

    def stop(self, timeout: float = 10.0) -> None:
        """Ends the thread within `timeout` seconds. What is under way stays claimed, for the next start."""
        self._stopping.set()
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join(timeout)
        if not self._thread.is_alive():
            for reading in self._open.values():
                reading.close()

    def wake(self, name: str | None = None, closed: bool = False) -> None:
        """Asks for a look, from any thread. `closed`: the writer of this entry is done, so that it is taken
        at once."""
        if closed and name is not None:
            with self._lock:
                self._closed.add(name)
        self._woken.set()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._woken.clear()
                with self._contained():
                    self.look()
                self._woken.wait(0 if self._long() else self._settings.look_seconds)
        except Stopped:
            pass

    def look(self) -> None:
        """One look at the folders, and all the work found there; long files until something new comes. Raises
        Stopped."""
        with self._lock:
            closed, self._closed = self._closed, set()
        try:
            for claim, seen in chain(self._left(), self._listing.new(closed)):
                self._take(claim, seen)
            self._commit()
            self._read_on()
        except _DeskDown:
            log.error("desk_failed", reason="The engine takes no jobs; the drop folder tries again later.")
            self._desk_failures = 0

    def _left(self) -> Iterator[tuple[Claim, None]]:
        """What lies claimed since a crash, or was put off and is due."""
        for claim in self._listing.left():
            later = self._later.get(claim.path.name)
            if claim.path.name not in self._open and (later is None or later.due <= time.monotonic()):
                yield claim, None

    def _take(self, claim: Claim, seen: os.stat_result | None) -> None:
        """Reads a claim's first block into the batch. `seen` is what was claimed, if it was just now."""
        if self._stopping.is_set():
            raise Stopped
        alone = self._is_alone(claim)
        if alone:
            self._commit()
        with self._contained(claim):
            if reading := self._reading(claim):
                self._open[claim.path.name] = reading
                if seen is not None:
                    reading.check_unchanged(seen)
                if self._has_room_for(reading):
                    self._advance(reading)
                else:
                    self._set_aside(claim)
        if alone or self._is_full():
            self._commit()
        while sum(not reading.is_large for reading in self._long()) > _MOST_LONG:
            self._advance_all()

    def _is_alone(self, claim: Claim) -> bool:
        """Whether the claim failed before, or was in a commit that did."""
        later = self._later.get(claim.path.name)
        return later is not None and later.alone

    def _reading(self, claim: Claim) -> Reading | None:
        try:
            reading = Reading(
                claim, self._settings.max_bytes, self._clock(), self._parse_callfile, self._companions
            )
        except FileNotFoundError:
            return None
        except InvalidJob as error:
            self._refuse(claim, error)
            return None
        try:
            check_submitter(self._owners.permit(reading.status.st_uid))
        except InvalidJob as error:
            reading.close()
            self._refuse(claim, error)
            return None
        return reading

    def _refuse(self, claim: Claim, error: InvalidJob) -> None:
        """The log says where the mistakes are and no more: their sentences repeat what the submitter
        wrote."""
        self.meters.refused("folder", error)
        status = claim.path.lstat()
        why = (f"{sentence}\n".encode("utf-8", "backslashreplace") for sentence in told(error.mistakes))
        self._companions.refuse(claim, self._rejects, self._clock())
        place = self._rejects.whole(claim, status, self._clock(), why)
        self._forget(claim)
        fields = {"name": shown(claim.name), "owner": status.st_uid, "at": shown(str(place))}
        log.warning("drop_file_refused", **fields, mistakes=len(error.mistakes), first=first_place(error))
        if place.parent == claim.path.parent:
            log.error("drop_folder_kept", **fields)
            self._kept.append(place)

    def problems(self) -> list[str]:
        """What a person must see to, a sentence each, for the daemon's status. From any thread."""
        kept = [path for path in list(self._kept) if os.path.lexists(path)]
        if not kept:
            return []
        count = f"{len(kept)} dropped folders" if len(kept) > 1 else "A dropped folder"
        return [f"{count} could not be moved out of {kept[0].parent}: remove {KEPT}* there."]

    def _has_room_for(self, reading: Reading) -> bool:
        """Whether a large file may be begun: nobody's files wait for the end of another's large ones."""
        if not reading.is_large:
            return True
        large = [each for each in self._long() if each.is_large and each is not reading]
        owner = reading.status.st_uid
        theirs = sum(each.status.st_uid == owner for each in large)
        return len(large) < _MOST_LARGE and theirs < _MOST_LARGE_OF_ONE

    def _set_aside(self, claim: Claim) -> None:
        later = self._later.get(claim.path.name)
        due = time.monotonic() + self._settings.look_seconds
        self._forget(claim)
        self._later[claim.path.name] = _Later(
            due, later.tries if later else 0, later is not None and later.alone
        )

    def _advance(self, reading: Reading) -> None:
        """Reads a file's next block into the batch. Raises Stopped, OSError."""
        if self._stopping.is_set():
            raise Stopped
        try:
            permit = self._owners.permit(reading.status.st_uid)
            self._batch += reading.block(self._settings.chunk, permit, self._clock())
        except InvalidJob as error:
            self._refuse(reading.claim, error)
        if reading.ended:
            self._ended.append(reading)

    def _is_full(self) -> bool:
        jobs = sum(len(item.submissions) for item in self._batch)
        size = sum(len(item.row.raw) for item in self._batch)
        return max(jobs, len(self._ended)) >= self._settings.chunk or size >= BLOCK_BYTES

    def _long(self) -> list[Reading]:
        return [reading for reading in self._open.values() if not reading.ended]

    def _read_on(self) -> None:
        """At least one block of each long file, so that a busy drop folder does not starve them."""
        until = time.monotonic() + self._settings.look_seconds
        while self._long():
            self._advance_all()
            if self._woken.is_set() or time.monotonic() > until:
                return

    def _advance_all(self) -> None:
        """A block of each long file in turn, so that none waits for another's end."""
        for reading in self._long():
            with self._contained(reading.claim):
                self._advance(reading)
            if self._is_full():
                self._commit()
        self._commit()

    def _commit(self) -> None:
        """Submits what has come together, and brings the files that were read to their end to theirs."""
        batch, ended = self._batch, self._ended
        self._batch, self._ended = [], []
        claims = {reading.claim: None for reading in chain((item.reading for item in batch), ended)}
        if any(item.submissions for item in batch) and not self._answered(batch, *claims):
            if self._desk_failures >= _DESK_FAILURES:
                raise _DeskDown
            return
        for item in batch:
            with self._contained(item.reading.claim):
                item.reading.settle(item, self.meters)
        for reading in ended:
            with self._contained(reading.claim):
                self._finish(reading)

    def _answered(self, batch: list[Item], *claims: Claim) -> bool:
        self._desk_failures += 1
        with self._contained(*claims):
            self._counter.answer(batch)
            self._desk_failures = 0
        return self._desk_failures == 0

    def _finish(self, reading: Reading) -> None:
        """Every row is a job on disk or refused: the file goes, after the refusals are on disk."""
        claim, refused, accepted = reading.claim, reading.refusals, reading.accepted
        status = claim.path.lstat()
        reading.check_unchanged(status)
        at = {}
        if refused.count or not accepted:
            self._companions.refuse(claim, self._rejects, self._clock())
        if refused.count and accepted:
            at["at"] = str(self._rejects.part(claim, status, self._clock(), reading.jobs, refused, accepted))
        elif not accepted:
            why = refused.sentences() if refused.count else iter([b"There is no job in it.\n"])
            at["at"] = str(self._rejects.whole(claim, status, self._clock(), why, refused.count))
        if accepted:
            claim.path.unlink()
            self._companions.done(claim)
        self._forget(claim)
        told = log.warning if at else log.info
        owner, name = status.st_uid, shown(claim.name)
        told("drop_file_worked_off", name=name, owner=owner, accepted=accepted, refused=refused.count, **at)

    def _forget(self, claim: Claim) -> None:
        self._later.pop(claim.path.name, None)
        if reading := self._open.pop(claim.path.name, None):
            reading.close()

    @contextmanager
    def _contained(self, *claims: Claim) -> Iterator[None]:
        """What goes wrong inside concerns these claims alone: they are put off, and nothing of them is
        lost."""
        try:
            yield
        except (Stopped, _DeskDown):
            raise
        except Awaited:
            self._put_off(claims, failed=False, patient=True)
        except Changed:
            self._put_off(claims, failed=False)
        except Exception as error:  # noqa: BLE001 - said without its message, put off, never lost
            if not claims or any(not self._is_alone(claim) for claim in claims):
                names = [shown(claim.name) for claim in claims[:3]]
                log.error("drop_work_failed", names=names, reason=trouble(error))
            self._put_off(claims, failed=True)

    def _put_off(self, claims: tuple[Claim, ...], failed: bool, patient: bool = False) -> None:
        """`patient`: nothing went wrong, so that the next pause is no longer than this one."""
        for claim in claims:
            later = self._later.get(claim.path.name)
            tries = later.tries + 1 if later and not patient else 0
            pause = min(self._settings.still_seconds * 2 ** min(tries, 10), _LONGEST_PAUSE_S)
            self._forget(claim)
            self._later[claim.path.name] = _Later(time.monotonic() + pause, tries, failed)
        names = {claim.path.name for claim in claims}
        self._batch = [item for item in self._batch if item.reading.claim.path.name not in names]
        self._ended = [reading for reading in self._ended if reading.claim.path.name not in names]
