"""The rate table in a CSV file: what a minute costs, by prefix. Reloaded as the file changes."""

import csv
import re
from collections.abc import Callable, Collection, Iterator
from io import TextIOWrapper
from pathlib import Path
from threading import Lock
from typing import Any

from dialerd.core.charges import Rate, RateTable, parse_money
from dialerd.core.errors import ConfigError, Mistake
from dialerd.core.texts import nearest
from dialerd.lists.looking import LOOK_EVERY_S, Looker, Stamp, opened, stamp
from dialerd.log import get_logger

log = get_logger(__name__)

COLUMNS = ("prefix", "per_minute", "connect", "increment", "trunk")
NEEDED = ("prefix", "per_minute")
MOST_TOLD = 20
_PREFIX = re.compile(r"\+?([1-9][0-9]{0,14})\*?")
_LONGEST_INCREMENT_S = 3600
_TRIES = 3


class Rates:
    """The rates in a file; none where there is no file. load() first; start() and stop() its thread."""

    def __init__(
        self, path: Path | None, trunks: Collection[str] | None = None, look_every: float = LOOK_EVERY_S
    ) -> None:
        """`trunks`: the names that may stand in the column trunk; None: any."""
        self._path, self._trunks = path, trunks
        self.table = RateTable()
        self._mistakes: list[Mistake] = []
        self._loading = Lock()
        self._known: Stamp | None = None
        self._seen: Stamp | None = None
        self._looker = Looker("rates", self.look, look_every)

    def load(self) -> None:
        """Reads the file. Raises ConfigError with its mistakes."""
        self.reload()
        if self._mistakes:
            raise ConfigError([Mistake("caps.rates", f"{self._path}, {each}") for each in self._mistakes])

    def start(self) -> None:
        """Looks from now on whether the file changes."""
        if self._path is not None:
            self._looker.start()

    def stop(self) -> None:
        """Ends that."""
        self._looker.stop()

    def look(self) -> None:
        """Reads the file where it has changed, once it lies still."""
        if self._path is None:
            return
        now = stamp(self._path)
        if now != self._known and now == self._seen:
            self.reload()
        self._seen = now

    def reload(self) -> None:
        """Reads the file now; problems() says what was wrong with it."""
        if self._path is None:
            return
        with self._loading:
            self._mistakes = self._read(self._path)
            if self._mistakes:
                log.warning("rates_broken", mistake=str(self._mistakes[0]))
            else:
                log.info("rates_loaded", rates=len(self.table))

    def problems(self) -> list[str]:
        """A sentence where the file has mistakes."""
        if not self._mistakes:
            return []
        told = "; ".join(map(str, self._mistakes))
        return [f"The rates ({self._path}) were not read anew, and what was in force stays so: {told}"]

    def find(self, e164: str, trunk: str | None = None) -> Rate | None:
        """The rate of a number on a trunk, or None."""
        return self.table.find(e164, trunk)

    def _read(self, path: Path) -> list[Mistake]:
        for _ in range(_TRIES):
            self._known = stamp(path)
            try:
                with TextIOWrapper(opened(path), "utf-8-sig", newline="") as text:
                    rates, mistakes = _rates(text, self._trunks)
            except OSError as error:
                return [Mistake("", f"it can't be read: {error.strerror}.")]
            if mistakes:
                return mistakes
            if stamp(path) == self._known:
                self.table = RateTable(rates)
                return []
        return [Mistake("", "it keeps changing while it is read.")]


def _rates(text: TextIOWrapper, trunks: Collection[str] | None) -> tuple[list[Rate], list[Mistake]]:
    rates: dict[tuple[str, str | None], Rate] = {}
    mistakes: list[Mistake] = []
    try:
        for number, cells in _rows(text, mistakes):
            rate = _rate(cells, trunks, f"line {number}", mistakes)
            if rate is not None and (rate.prefix, rate.trunk) in rates:
                what = f"{rate.prefix} has a rate already{f' on {rate.trunk}' if rate.trunk else ''}."
                mistakes.append(Mistake(f"line {number}", what))
            elif rate is not None:
                rates[rate.prefix, rate.trunk] = rate
            if len(mistakes) > MOST_TOLD:
                mistakes[MOST_TOLD:] = [Mistake("", "there are more mistakes behind these.")]
                break
    except (csv.Error, UnicodeDecodeError):
        mistakes.append(Mistake("", "it holds what is no CSV text: save it as CSV UTF-8."))
    return list(rates.values()), mistakes


def _rows(text: TextIOWrapper, mistakes: list[Mistake]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row's line number and cells; comments and blank rows are left out."""
    first = text.readline(4096)
    delimiter = max(",;\t", key=first.count)
    columns = [name.strip().strip('"').lower() for name in first.strip().split(delimiter)]
    mistakes += [
        Mistake("line 1", f"There is no column {name!r}.{nearest(name, COLUMNS)}")
        for name in columns
        if name not in COLUMNS
    ]
    mistakes += [Mistake("line 1", f"The column {name} is needed.") for name in NEEDED if name not in columns]
    if mistakes:
        return
    reader = csv.reader(text, delimiter=delimiter)
    for cells in reader:
        if not any(map(str.strip, cells)) or cells[0].lstrip().startswith("#"):
            continue
        if len(cells) > len(columns) and any(map(str.strip, cells[len(columns) :])):
            what = f"It has {len(cells)} cells, and the header {len(columns)}: write 0.05, not 0,05."
            mistakes.append(Mistake(f"line {reader.line_num + 1}", what))
            continue
        yield reader.line_num + 1, {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}


def _rate(
    cells: dict[str, str], trunks: Collection[str] | None, where: str, mistakes: list[Mistake]
) -> Rate | None:
    before = len(mistakes)
    values: dict[str, Any] = {"prefix": "", "per_minute": 0, "connect": 0, "increment": 60}
    for name, read in _READERS.items():
        if name in NEEDED or cells.get(name):
            try:
                values[name] = read(cells.get(name, ""))
            except ValueError as error:
                mistakes.append(Mistake(where, f"{name}: {error}"))
    trunk = cells.get("trunk") or None
    if trunk is not None and trunks is not None and trunk not in trunks:
        mistakes.append(Mistake(where, f"trunk: There is no [trunks.{trunk[:40]}].{nearest(trunk, trunks)}"))
    if len(mistakes) > before:
        return None
    return Rate(values["prefix"], values["per_minute"], values["connect"], values["increment"], trunk)


def _prefix(text: str) -> str:
    if text in ("*", "+"):
        return "+"
    found = _PREFIX.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no prefix: write +4930, or * for all numbers.")
    return f"+{found[1]}"


def _increment(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= _LONGEST_INCREMENT_S):
        raise ValueError(f"{text[:40]!r} is no whole number of seconds from 1 to {_LONGEST_INCREMENT_S}.")
    return int(text)


_READERS: dict[str, Callable[[str], Any]] = {
    "prefix": _prefix,
    "per_minute": parse_money,
    "connect": parse_money,
    "increment": _increment,
}
