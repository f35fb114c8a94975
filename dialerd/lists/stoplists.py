"""All stop lists together: whether a number may be called. Reloaded as their files change."""

import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO

from dialerd.core.errors import Broken, ConfigError, InvalidJob, Mistake
from dialerd.core.texts import nearest
from dialerd.core.times import format_when
from dialerd.lists import durable
from dialerd.lists.looking import LOOK_EVERY_S, Looker
from dialerd.lists.reading import MOST_TOLD, entry_of
from dialerd.lists.settings import ListFile
from dialerd.lists.stoplist import StopList
from dialerd.log import get_logger

log = get_logger(__name__)

_LONGEST_NOTE = 200


class StopLists:
    """The lists by name. load() before anything is asked; start() and stop() its thread."""

    def __init__(
        self, files: Iterable[ListFile], default_country: str | None, look_every: float = LOOK_EVERY_S
    ) -> None:
        self._country = default_country
        self._lists = {each.name: StopList(each, default_country) for each in files}
        self._all = tuple(self._lists.values())
        self._owed: dict[str, tuple[str, str, int, datetime]] = {}
        self._looker = Looker("stop-lists", self.look, look_every)

    def load(self, make: bool = True) -> None:
        """Reads all lists; those of dialerd's own that are not there yet are made, or else passed over.
        Raises ConfigError with the mistakes of all, at most MOST_TOLD of each."""
        mistakes = []
        for each in self._all:
            if each.settings.own and not make and not os.access(each.settings.path, os.F_OK):
                continue
            found = _make(each.settings.path) if each.settings.own and make else []
            found = found or each.load()
            for mistake in found[:MOST_TOLD]:
                mistakes.append(_placed(each.settings, mistake))
            if len(found) > MOST_TOLD:
                mistakes.append(_placed(each.settings, Mistake("", "There are more mistakes behind these.")))
        if mistakes:
            raise ConfigError(mistakes)

    def start(self) -> None:
        """Looks from now on whether the files change."""
        self._looker.start()

    def stop(self) -> None:
        """Ends that."""
        self._looker.stop()

    def look(self) -> None:
        """Reads anew what has changed, and writes what could not be written."""
        for number, (name, reason, by, since) in list(self._owed.items()):
            self.insist(name, number, reason, by, since)
        for each in self._all:
            each.look()

    def reload(self) -> None:
        """Reads everything anew, now; problems() says what was wrong with it."""
        for each in self._all:
            each.load()

    def files(self) -> list[ListFile]:
        """The lists as they are configured."""
        return [each.settings for each in self._all]

    def problems(self) -> list[str]:
        """A sentence for each list whose file has mistakes."""
        found = [problem for each in self._all for problem in each.problems()]
        if self._owed:
            found.append(f"{len(self._owed)} numbers wait for their stop list to be written; none is called.")
        return found

    def stopped(self, number: str) -> str | None:
        """Why a number (E.164 or an extension) must not be called, in a sentence, or None. Quick."""
        for each in self._all:
            if each.entries.holds(number):
                settings = each.settings
                reason = f": {settings.reason}" if settings.reason else ""
                return f"{number} is on the do-not-call list {settings.name}{reason}"
        owed = self._owed.get(number)
        return None if owed is None else f"{number} is on the do-not-call list {owed[0]}"

    def check(self, number: str) -> list[tuple[str, str, str]]:
        """Name, reason and line of every entry that stops the number. Reads the files: not for the engine.

        Raises OSError.
        """
        holding = [each for each in self._all if each.entries.holds(number)]
        return [
            (each.settings.name, each.settings.reason, line)
            for each in holding
            for line in each.lines(number)
        ]

    def described(self) -> list[dict[str, Any]]:
        """Every list, ready for JSON."""
        return [
            {
                "name": each.settings.name,
                "entries": len(each.entries),
                "reason": each.settings.reason,
                "file": str(each.settings.path),
                "writable": each.settings.writable,
                "problems": each.problems(),
            }
            for each in self._all
        ]

    def number(self, text: str) -> str:
        """A number as a person writes it, as E.164 or an extension; a prefix or a hash as in a list. Raises
        InvalidJob."""
        try:
            return entry_of(text.strip(), self._country)
        except ValueError as error:
            raise InvalidJob([Mistake("number", str(error))]) from None

    def add(self, name: str, number: str, reason: str, by: int, now: datetime) -> bool:
        """Puts a number (E.164 or an extension) on a list: on disk and in force when it returns. False where
        it stood there already. `by`: a uid.

        Raises InvalidJob for a list that is not there or not ours to write, Broken.
        """
        return self._named(name).add(number, _notes(reason, by, now))

    def insist(self, name: str, number: str, reason: str, by: int, now: datetime) -> None:
        """As add(), but a list that can't be written just now is written as soon as it can be; the number is
        stopped at once. Raises InvalidJob as add() does."""
        try:
            self.add(name, number, reason, by, now)
            self._owed.pop(number, None)
        except Broken as error:
            if number not in self._owed:
                log.error("stop_list_not_written", list=name, number=number, why=str(error))
            self._owed[number] = (name, reason, by, now)

    def succeed(self, before: "StopLists") -> None:
        """Takes the place of others that were in force until now: what was put on them since the files were
        read, and what they still have to write."""
        self._owed.update(before._owed)
        self.look()
        self.look()

    def remove(self, name: str, number: str) -> int:
        """Takes a number off a list; how many lines that were. On disk and in force when it returns.

        Raises InvalidJob as add() does, and for a number that is there only by a prefix; Broken.
        """
        each = self._named(name)
        count = each.remove(number)
        if not count and each.entries.holds(number):
            what = f"{number} is on the list {name} by a prefix: remove that, or change {each.settings.path}."
            raise InvalidJob([Mistake("number", what)])
        return count

    def import_(self, name: str, stream: BinaryIO, by: int, now: datetime) -> int:
        """Adds all entries of a file, which can be read twice, or none; how many were not there yet.

        Raises InvalidJob with each mistake and its line, at most MOST_TOLD and one; Broken.
        """
        return self._named(name).import_(stream, _notes("", by, now))

    def _named(self, name: str) -> StopList:
        if name not in self._lists:
            there = ", ".join(self._lists) or "none at all"
            what = f"There is no stop list {name[:40]!r}, only {there}.{nearest(name, self._lists)}"
            raise InvalidJob([Mistake("list", what)])
        return self._lists[name]


def _notes(reason: str, by: int, now: datetime) -> dict[str, str]:
    plain = "".join(letter if letter.isprintable() else " " for letter in reason).strip()
    return {"reason": plain[:_LONGEST_NOTE], "by": f"by uid {by}", "date": format_when(now)}


def _make(path: Path) -> list[Mistake]:
    try:
        durable.make(path)
    except OSError as error:
        return [Mistake("", f"It can't be made: {error.strerror}.")]
    return []


def _placed(settings: ListFile, mistake: Mistake) -> Mistake:
    where = ", ".join(filter(None, (str(settings.path), mistake.where)))
    return Mistake(f"stop_lists.{settings.name}", f"{where}: {mistake.what}")
