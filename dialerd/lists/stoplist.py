"""One stop list: its file, and what of it is in force."""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from dialerd.core.errors import Broken, InvalidJob, Mistake
from dialerd.lists import durable
from dialerd.lists.entries import HASHED, NOTHING, hash_of
from dialerd.lists.looking import Stamp, opened, stamp
from dialerd.lists.reading import MOST_TOLD, Header, collect, entry_in, entry_of, header_of, rest_of, rows
from dialerd.lists.settings import ListFile
from dialerd.log import get_logger

log = get_logger(__name__)

_TRIES = 3
_TAIL = 4
_LARGEST_SALT = 4096
_BUSY = Mistake("", "It keeps changing while it is read.")


class StopList:
    """A list. `entries` is replaced as a whole, so that it may be read from any thread without a lock."""

    def __init__(self, settings: ListFile, country: str | None) -> None:
        self.settings, self._country = settings, country
        self.entries = NOTHING
        self.mistakes: list[Mistake] = []
        self._loading, self._changing = Lock(), Lock()
        self._known: Stamp | None = None
        self._seen: Stamp | None = None
        self._rewritten = 0
        self._added: list[str] = []

    def load(self) -> list[Mistake]:
        """Reads the file; without mistakes it is then in force, else what was in force stays so."""
        with self._loading:
            self.mistakes = self._load()
            if self.mistakes:
                log.warning("stop_list_broken", list=self.settings.name, mistake=str(self.mistakes[0]))
            else:
                log.info("stop_list_loaded", list=self.settings.name, entries=len(self.entries))
            return self.mistakes

    def look(self) -> None:
        """Reads the file where it has changed, once it lies still: half a file must never be in force."""
        now = self._stamp()
        if now != self._known and now == self._seen:
            self.load()
        self._seen = now

    def problems(self) -> list[str]:
        """A sentence for what is wrong with the file."""
        if not self.mistakes:
            return []
        told = "; ".join(map(str, self.mistakes[:MOST_TOLD]))
        more = "; and more" if len(self.mistakes) > MOST_TOLD else ""
        start = f"The stop list {self.settings.name} ({self.settings.path}) was not read anew"
        return [f"{start}, and what was in force stays so: {told}{more}"]

    def lines(self, number: str) -> Iterator[str]:
        """The lines because of which the number is stopped. Raises OSError."""
        forms, tail = self._forms(number), _digits(number)[-_TAIL:]
        with opened(self.settings.path) as file:
            for _, text, line in rows(file):
                if text and (_covers(text, number) or self._is(text, forms, tail)):
                    yield line.strip()

    def add(self, number: str, notes: dict[str, str]) -> bool:
        """Puts a number on the list: on disk and in force when it returns. Whether it was not there yet."""
        entry = self._written(number)
        with self._changing, self._writing() as path:
            if self.entries.has(entry):
                return False
            before = self._stamp()
            with opened(path) as file:
                line = _line(entry, notes, header_of(file))
            grown = durable.append(path, line.encode("utf-8", "replace"))
            self._added.append(entry)
            self.entries = self.entries.with_(entry)
            after = self._stamp()
            if self._known == before and after[1] == before[1] + grown:
                self._known = after
            return True

    def remove(self, number: str) -> int:
        """Takes every line of this number (or prefix, or hash) out of the file. How many there were."""
        forms, tail, count = self._forms(number), _digits(number)[-_TAIL:], 0
        with self._changing, self._writing() as path:
            before = self._stamp()
            with durable.rewriting(path) as (old, new):
                for _, text, line in rows(old):
                    if text and self._is(text, forms, tail):
                        count += 1
                    else:
                        new.write(line.encode("utf-8", "surrogateescape"))
            self._rewritten += 1
            self._added = [each for each in self._added if each not in forms]
            for entry in forms:
                self.entries = self.entries.without(entry)
            if self._known == before:
                self._known = self._stamp()
        return count

    def import_(self, stream: BinaryIO, notes: dict[str, str]) -> int:
        """Adds all entries of another list at once. How many were not there yet.

        Raises InvalidJob with every mistake in it; nothing was added then.
        """
        _, mistakes = collect(stream, self._country, b"")
        if mistakes:
            raise InvalidJob(mistakes)
        with self._changing, self._writing() as path:
            before = len(self.entries)
            with durable.rewriting(path) as (old, new):
                header = header_of(old)
                self._copy(old, new)
                stream.seek(0)
                for _, text, line in rows(stream):
                    entry = text and self._written(entry_of(text, self._country))
                    if entry and not self.entries.has(entry):
                        note = {**notes, "reason": rest_of(text, line) or notes["reason"]}
                        new.write(_line(entry, note, header).encode("utf-8", "surrogateescape"))
            self._rewritten += 1
            self._known = None
        if mistakes := self.load():
            raise Broken(f"The import is on disk, but not in force: {self.problems()[0]}")
        return len(self.entries) - before

    def _load(self) -> list[Mistake]:
        for _ in range(_TRIES):
            with self._changing:
                start, rewritten, self._added = self._stamp(), self._rewritten, []
                self._known = start
            try:
                salt = self._salt()
                with opened(self.settings.path) as file:
                    entries, mistakes = collect(file, self._country, salt)
            except OSError as error:
                return [Mistake("", f"It can't be read: {error.strerror}.")]
            except ValueError as error:
                return [Mistake("", str(error))]
            if mistakes:
                return mistakes
            with self._changing:
                if self._rewritten == rewritten and self._stamp() == self._known:
                    for entry in self._added:
                        entries = entries.with_(entry)
                    self.entries = entries
                    return []
                self._known = None
        return [_BUSY]

    def _salt(self) -> bytes:
        path = self.settings.salt_path
        if path is None:
            return b""
        with opened(path) as file:
            salt = file.read(_LARGEST_SALT + 1).strip()
        if not salt or len(salt) > _LARGEST_SALT:
            raise ValueError(f"The salt in {path} must be a text of 1 to {_LARGEST_SALT} bytes.")
        return salt

    def _stamp(self) -> Stamp:
        salt = stamp(self.settings.salt_path) if self.settings.salt_path else ()
        return (*stamp(self.settings.path), *salt)

    @contextmanager
    def _writing(self) -> Iterator[Path]:
        """The path to write to. Raises InvalidJob where that is not allowed, Broken where it fails."""
        settings = self.settings
        if not settings.writable:
            what = f"The list {settings.name} is not dialerd's to write: change {settings.path} itself."
            raise InvalidJob([Mistake("list", what)])
        try:
            yield settings.path
        except OSError as error:
            where = f"The stop list {settings.name} ({settings.path})"
            raise Broken(f"{where} can't be written: {error.strerror}. It is as it was.") from None

    def _copy(self, old: BinaryIO, new: BinaryIO) -> None:
        old.seek(0)
        last = b"\n"
        while piece := old.read(1 << 20):
            new.write(piece)
            last = piece[-1:]
        if last != b"\n":
            new.write(b"\n")

    def _written(self, entry: str) -> str:
        """The entry as it is added to this list: hashed in a list with a salt."""
        plain = self.settings.salt_path is None or entry.startswith(HASHED) or _is_prefix(entry)
        return entry if plain else hash_of(entry, self.entries.salt)

    def _forms(self, number: str) -> frozenset[str]:
        """The entries that stand for just this number."""
        if number.startswith(HASHED) or _is_prefix(number):
            return frozenset({number})
        return frozenset({number, hash_of(number, self.entries.salt)})

    def _is(self, text: str, forms: Collection[str], tail: str) -> bool:
        """Whether a line's text stands for one of these. The last digits, which stay the same however a
        number is written, spare most lines the parsing."""
        if text in forms or text.lower() in forms:
            return True
        if text.startswith(HASHED) or not _digits(text).endswith(tail):
            return False
        try:
            return entry_of(text, self._country) in forms
        except ValueError:
            return False


def _is_prefix(entry: str) -> bool:
    return entry.startswith("+") and entry.endswith("*")


def _covers(text: str, number: str) -> bool:
    return _is_prefix(text) and number.startswith(text[:-1]) and entry_in(text) == text


def _digits(text: str) -> str:
    return re.sub("[^0-9]", "", text)


def _line(entry: str, notes: dict[str, str], header: Header | None) -> str:
    shown = entry if entry.startswith(("+", HASHED)) else f"ext:{entry}"
    if header is not None:
        return header.row(shown, notes)
    told = ", ".join(text for text in notes.values() if text)
    return f"{shown},{told}\n" if told else f"{shown}\n"
