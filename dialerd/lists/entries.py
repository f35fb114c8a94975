"""What one stop list holds, in little memory, and whether a number is in it.

An entry's text, in the one form that it has inside: "+4930123456", "1000" (an extension), "sha256:HEX" or
"+4930*" (all numbers that begin so).
"""

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from heapq import merge
from typing import Any

HASHED = "sha256:"
_RUN = 65536


def hash_of(number: str, salt: bytes) -> str:
    """The hashed entry of a number: SHA-256 of the salt and the number's text."""
    return HASHED + hashlib.sha256(salt + number.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of one list; never changed, only replaced.

    `numbers`: E.164 without its +, as sorted 64-bit integers; no country code begins with 0, so that the
    integer says all. `hashes`: the first 64 bits of each SHA-256, sorted. That is enough: that any of a
    million of them is by chance also an unlisted number's has odds of 5e-14, and would only refuse a call.
    """

    numbers: "array[int]"
    hashes: "array[int]"
    extensions: frozenset[str]
    prefixes: frozenset[str]
    lengths: tuple[int, ...]
    salt: bytes = b""

    def __len__(self) -> int:
        return len(self.numbers) + len(self.hashes) + len(self.extensions) + len(self.prefixes)

    def holds(self, number: str) -> bool:
        """Whether an E.164 number or an extension is stopped by this list."""
        if number[:1] != "+":
            if number in self.extensions:
                return True
        else:
            if _in(self.numbers, int(number[1:])):
                return True
            for length in self.lengths:
                if number[:length] in self.prefixes:
                    return True
        return bool(self.hashes) and _in(self.hashes, _short(hash_of(number, self.salt)))

    def has(self, entry: str) -> bool:
        """Whether just this entry stands in the list."""
        kind, value = _filed(entry)
        there: Any = getattr(self, kind)
        return _in(there, value) if isinstance(there, array) else bool(value in there)

    def with_(self, entry: str) -> "Entries":
        """These, and this entry."""
        return self if self.has(entry) else self._changed(entry, put=True)

    def without(self, entry: str) -> "Entries":
        """These, but not this entry."""
        return self._changed(entry, put=False) if self.has(entry) else self

    def _changed(self, entry: str, put: bool) -> "Entries":
        kind, value = _filed(entry)
        there: Any = getattr(self, kind)
        if isinstance(there, array):
            place = bisect_left(there, value)
            middle = array("Q", [value] if put else [])
            changed: Any = there[:place] + middle + there[place + (0 if put else 1) :]
        else:
            changed = there | {value} if put else there - {value}
        lengths = _lengths(changed) if kind == "prefixes" else self.lengths
        return replace(self, lengths=lengths, **{kind: changed})


class Collected:
    """Entries as they are read, in any order and some perhaps twice."""

    def __init__(self) -> None:
        self._runs: dict[str, list[array[int]]] = {"numbers": [], "hashes": []}
        self._filling: dict[str, list[int]] = {"numbers": [], "hashes": []}
        self._texts: dict[str, set[str]] = {"extensions": set(), "prefixes": set()}

    def add(self, entry: str) -> None:
        """Takes an entry in."""
        kind, value = _filed(entry)
        if kind in self._texts:
            self._texts[kind].add(value)
            return
        filling = self._filling[kind]
        filling.append(value)
        if len(filling) >= _RUN:
            self._close(kind)

    def entries(self, salt: bytes = b"") -> Entries:
        """All that was taken in. Sorted in runs that are then merged: one sort of all would hold every other
        thread up, and fill much memory for a moment."""
        for kind in self._filling:
            self._close(kind)
        numbers, hashes = (array("Q", _once(merge(*self._runs[kind]))) for kind in ("numbers", "hashes"))
        prefixes = frozenset(self._texts["prefixes"])
        extensions = frozenset(self._texts["extensions"])
        return Entries(numbers, hashes, extensions, prefixes, _lengths(prefixes), salt)

    def _close(self, kind: str) -> None:
        self._runs[kind].append(array("Q", sorted(self._filling[kind])))
        self._filling[kind] = []


def _filed(entry: str) -> tuple[str, Any]:
    """Where an entry is kept, and as what."""
    if entry.startswith(HASHED):
        return "hashes", _short(entry)
    if not entry.startswith("+"):
        return "extensions", entry
    return ("prefixes", entry[:-1]) if entry.endswith("*") else ("numbers", int(entry[1:]))


def _short(hashed: str) -> int:
    return int(hashed[7:23], 16)


def _in(numbers: "array[int]", wanted: int) -> bool:
    place = bisect_left(numbers, wanted)
    return place < len(numbers) and numbers[place] == wanted


def _once(values: Iterable[int]) -> Iterator[int]:
    last = -1
    for value in values:
        if value != last:
            yield value
        last = value


def _lengths(prefixes: Iterable[str]) -> tuple[int, ...]:
    return tuple(sorted({len(prefix) for prefix in prefixes}))


NOTHING = Collected().entries()
