"""One claimed file while it is worked off: its rows in blocks, what they came to, and where it goes in the
end."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, BinaryIO

from dialerd.core.documents import SUFFIXES, Paper
from dialerd.core.errors import InvalidJob, KeyConflict, Mistake, NotPermitted
from dialerd.core.meters import NOBODY, Meters
from dialerd.core.model import Draft
from dialerd.core.roles import Permit, Right
from dialerd.core.signals import Accepted, Submission
from dialerd.intake import jobfile
from dialerd.intake.checks import companion
from dialerd.intake.document import parse
from dialerd.intake.dropbox_companions import Companions
from dialerd.intake.dropbox_files import KNOWN, Changed, Claim, identity, open_claim, shown, suffix_of
from dialerd.intake.dropbox_rejects import Refusals
from dialerd.intake.jobfile import JobFile, Proof, Row

ParseCallfile = Callable[[bytes, float, float], dict[str, Any]]
"""A call file's bytes, its mtime and the time now, as a job document. Raises InvalidJob. A list of sentences
under `notes` is for the submitter to know, and is no part of the document."""

CALLFILE_BYTES = 64 * 1024
BLOCK_BYTES = 1 << 20
"""Of large rows fewer are in memory at a time."""

SMALL_BYTES = 64 * 1024
"""A file so small is proved in one go."""

_LONGEST_FILENAME = 50
"""Characters, of whatever script: less than a job's `filename` may have."""

_SLICE_S = 0.05
"""So long a large file is proved, or blank rows of it are skipped, before others have their turn."""


@dataclass(slots=True)
class Item:
    """A row on its way: what is to be submitted for it, or why nothing is; and the answers so far."""

    reading: "Reading"
    row: Row
    submissions: list[Submission] = field(default_factory=list)
    own_key: bool = True
    answers: list[Any] = field(default_factory=list)

    def mistakes(self) -> list[Mistake]:
        """What keeps the row from being a job. A key of ours that is known: the row was accepted before a
        crash."""
        refused = [answer for answer in self.answers if not isinstance(answer, Accepted)]
        refused = [answer for answer in refused if self.own_key or not isinstance(answer, KeyConflict)]
        found = [mistake for answer in refused for mistake in _mistakes(answer)]
        if found and len(refused) < len(self.answers):
            found.append(
                Mistake(
                    "", f"{len(self.answers) - len(refused)} of its {len(self.answers)} calls were accepted."
                )
            )
        return list(dict.fromkeys(found))


def _mistakes(answer: Exception) -> list[Mistake]:
    if isinstance(answer, InvalidJob):
        return answer.mistakes
    return [Mistake("key" if isinstance(answer, KeyConflict) else "", str(answer))]


class Reading:
    """A claimed file that is open. Raises InvalidJob when it is not a file that we take, OSError."""

    def __init__(
        self,
        claim: Claim,
        max_bytes: int,
        now: float,
        parse_callfile: ParseCallfile,
        companions: Companions,
    ) -> None:
        self.claim, self._companions = claim, companions
        self._file, self.status = open_claim(claim.path, max_bytes)
        self.refusals = Refusals(claim.path.parent)
        self.accepted = 0
        self.is_large = self.status.st_size > SMALL_BYTES
        self.ended = False
        self.jobs = JobFile(iter(()))
        self._proof = self._prove(now, parse_callfile)

    def close(self) -> None:
        """Lets go of the file."""
        self._file.close()
        self.refusals.close()

    def _prove(self, now: float, parse_callfile: ParseCallfile) -> Iterator[None]:
        try:
            suffix = suffix_of(self.claim.name)
            if suffix in SUFFIXES:
                raise InvalidJob(
                    [
                        Mistake(
                            "",
                            "It is a document, and no job names it: put the file of a job of kind fax beside"
                            f' it, with "document_file": "{shown(self.claim.name)}".',
                        )
                    ]
                )
            if suffix not in KNOWN:
                raise InvalidJob(
                    [Mistake("", f"What it is must be told by the end of its name: {', '.join(KNOWN)}.")]
                )
            if suffix == ".call":
                self.jobs = _callfile(self._file, self.status, now, parse_callfile)
            else:
                proof: Proof = jobfile.prove(self._file, suffix)
                self.jobs = yield from proof
        except InvalidJob:
            self.check_unchanged(os.fstat(self._file.fileno()))
            raise

    def check_unchanged(self, status: os.stat_result) -> None:
        """Raises Changed when this is no longer the file as it was opened."""
        if identity(status) != identity(self.status):
            raise Changed

    def block(self, rows: int, permit: Permit, now: float) -> list[Item]:
        """The next rows, by what their owner may now; none while a large file is still being proved.

        Raises InvalidJob when the file is refused as a whole. What was read of a file that changed in the
        meantime is thrown away: raises Changed.
        """
        until = time.monotonic() + _SLICE_S
        if any(self._is_late(until) for _ in self._proof):
            return []
        try:
            taken = self._rows(rows, until)
        except InvalidJob:
            raise Changed from None
        self.check_unchanged(os.fstat(self._file.fileno()))
        if self.ended:
            self._file.close()
        return [self._item(row, permit, now) for row in taken]

    def _is_late(self, until: float) -> bool:
        return self.is_large and time.monotonic() > until

    def _rows(self, most: int, until: float) -> list[Row]:
        taken: list[Row] = []
        size = 0
        for row in self.jobs.steps:
            if row is not None:
                taken.append(row)
                size += len(row.raw)
            if len(taken) >= most or size >= BLOCK_BYTES or (row is None and self._is_late(until)):
                return taken
        self.ended = True
        return taken

    def _item(self, row: Row, permit: Permit, now: float) -> Item:
        document, own_key = row.document, True
        try:
            check_submitter(permit)
            if isinstance(document, InvalidJob):
                raise document
            notes: tuple[str, ...] = ()
            if isinstance(document, dict):
                own_key = "key" in document
                document = document if own_key else {**document, "key": self.claim.key(row.number)}
                if suffix_of(self.claim.name) == ".call":
                    notes = tuple(document.pop("notes", ()))
                document = self._with_document(document)
            drafts = parse(document, permit.rules, datetime.fromtimestamp(now, UTC), self._find)
        except InvalidJob as error:
            return Item(self, row, answers=[error])
        return Item(self, row, [self._submission(draft, notes) for draft in drafts], own_key)

    def _with_document(self, document: dict[str, Any]) -> dict[str, Any]:
        """A fax that names a file beside its own, with the document that this is. Raises Awaited,
        InvalidJob."""
        name = document.get("document_file")
        if document.get("kind") != "fax" or not isinstance(name, str) or "document" in document:
            return document
        try:
            companion(name)
        except ValueError:
            return document  # whose check will say it, with all else
        paper = self._companions.fetch(self.claim, self.status, name)
        rest = {field: value for field, value in document.items() if field != "document_file"}
        return {"filename": name[:_LONGEST_FILENAME], **rest, "document": paper.id}

    def _find(self, document: str) -> Paper | None:
        documents = self._companions.documents
        return None if documents is None else documents.find(self.status.st_uid, document)

    def _submission(self, draft: Draft, notes: tuple[str, ...]) -> Submission:
        return Submission(self.status.st_uid, replace(draft, notes=draft.notes + notes) if notes else draft)

    def settle(self, item: Item, meters: Meters = NOBODY) -> None:
        """Takes down what came of a row, once all its answers are there."""
        mistakes = item.mistakes()
        if mistakes:
            refused = InvalidJob(mistakes)
            self.refusals.add(item.row, refused, self.jobs)
            meters.refused("folder", refused)
        else:
            self.accepted += 1


def check_submitter(permit: Permit) -> None:
    """Raises InvalidJob where the owner of a file may not submit jobs."""
    try:
        permit.caller.require(Right.SUBMIT)
    except NotPermitted as error:
        raise InvalidJob([Mistake("", str(error), error.rule)]) from None


def _callfile(file: BinaryIO, status: os.stat_result, now: float, parse_callfile: ParseCallfile) -> JobFile:
    data = file.read(CALLFILE_BYTES + 1)
    if len(data) > CALLFILE_BYTES:
        raise InvalidJob([Mistake("", f"A call file has {CALLFILE_BYTES} bytes at most.")])
    return JobFile(iter([Row(1, 1, parse_callfile(data, status.st_mtime, now), data)]), single=True)
