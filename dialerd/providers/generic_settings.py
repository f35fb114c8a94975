"""What the generic provider is made of: the tables of its section, checked.

Every mistake is told at once. docs/providers.md is the user's view.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dialerd.core import texts
from dialerd.core.errors import (
    AccountRefused,
    ConfigError,
    DeliveryError,
    Mistake,
    NotServed,
    Rejected,
    Unavailable,
)
from dialerd.core.model import Disposition
from dialerd.providers.generic_text import Finder, Text, parse_path, parse_pattern, parse_text
from dialerd.providers.wire import JSON

T = TypeVar("T")

ACCOUNT = ("account", "secret")
CALL = (*ACCOUNT, "to", "to_digits", "reference", "callback")
PLACES = {
    "sms": frozenset((*CALL, "sender", "body", "template")),
    "say": frozenset((*CALL, "caller_id", "body", "language", "wait_time", "longest")),
    "connect": frozenset((*CALL, "caller_id", "connect", "connect_digits", "wait_time", "longest")),
    "status": frozenset((*ACCOUNT, "ref")),
}
"""The tables that say how a request is made, with the places that their texts may have."""

_METHODS = ("GET", "POST", "PUT")
_AUTH = ("none", "basic", "bearer")
_REQUEST = ("method", "path", "query", "headers", "form", "json", "body", "media_type")
_ANSWER = ("statuses", "success", "id", "id_pattern")
_STATE = ("word", "word_pattern", "detail", "price", "parts")
_RECEIPT = ("ref", "reference", "word", "detail", "price", "parts")
_INCOMING = ("ref", "sender", "dest", "body")
_REFUSED = ("pattern", "statuses", "verdict")
_VERDICTS: dict[str, type[DeliveryError]] = {
    "rejected": Rejected,
    "not_served": NotServed,
    "unavailable": Unavailable,
    "account_refused": AccountRefused,
}
_WORDS: dict[str, Disposition | None] = {
    **{name: Disposition[name] for name in ("DELIVERED", "SENT", "UNDELIVERED", "FAILED", "CANCELLED")},
    **{name: Disposition[name] for name in ("ANSWERED", "BUSY", "NOANSWER")},
    "handed_on": None,
    "under_way": None,
}
TABLES = frozenset((*PLACES, "receipts", "incoming", "words", "refused"))


@dataclass(frozen=True, slots=True)
class Template:
    """How a request is made, and what an answer with 2xx must have to be read. Of `form`, `json` and `body`
    one is set at most; the leaves of `json` are Texts.

    `statuses` empty: any 2xx. `found`: where id, word, detail, price and parts are in the answer.
    """

    method: str
    path: Text
    query: tuple[tuple[str, Text], ...] = ()
    headers: tuple[tuple[str, Text], ...] = ()
    form: tuple[tuple[str, Text], ...] | None = None
    json: Any = None
    body: Text | None = None
    media_type: str | None = None
    statuses: frozenset[int] = frozenset()
    success: re.Pattern[str] | None = None
    found: Mapping[str, Finder] = field(default_factory=dict)

    @property
    def places(self) -> frozenset[str]:
        """The places of all its texts."""
        pairs = (*self.query, *self.headers, *(self.form or ()))
        texts = [self.path, *(text for _, text in pairs), *_leaves(self.json)]
        return frozenset().union(*(text.places for text in (*texts, *((self.body,) if self.body else ()))))


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer that is a refusal: by its status, its text, or both; the first that fits counts."""

    verdict: type[DeliveryError]
    pattern: re.Pattern[str] | None = None
    statuses: frozenset[int] = frozenset()

    def fits(self, status: int, answer: str) -> bool:
        """Whether it is this one."""
        return (not self.statuses or status in self.statuses) and (
            self.pattern is None or self.pattern.search(answer) is not None
        )


@dataclass(frozen=True, slots=True)
class GenericSettings:
    """A generic provider. `receipts` and `incoming` are the fields of callbacks by what they hold."""

    auth: str = "none"
    templates: Mapping[str, Template] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    complaint: Finder | None = None
    words: Mapping[str, str] = field(default_factory=dict)
    receipts: Mapping[str, str] = field(default_factory=dict)
    incoming: Mapping[str, str] = field(default_factory=dict)

    def disposition(self, word: str) -> tuple[Disposition | None, bool]:
        """What a word of the provider's means, and whether the message went to the carrier."""
        meaning = self.words.get(word.lower(), "under_way")
        return _WORDS[meaning], meaning == "handed_on"


def parse(tables: Mapping[str, Any]) -> GenericSettings:
    """What the tables of a section say; names that it does not know are for others to check. Raises
    ConfigError with every mistake."""
    reading = _Reading()
    settings = reading.settings(tables)
    if reading.mistakes:
        raise ConfigError(reading.mistakes)
    return settings


class _Reading:
    """Reads tables, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.mistakes: list[Mistake] = []

    def settings(self, tables: Mapping[str, Any]) -> GenericSettings:
        auth = self.one_of("auth", tables.get("auth", "none"), _AUTH)
        templates = {
            name: self.template(name, table)
            for name in PLACES
            if (table := self.table(name, tables.get(name), self.names(name))) is not None
        }
        if not PLACES.keys() & tables.keys():
            self.wrong("sms", "Say how a request is made: this table is needed, with path and more.")
        complaint = tables.get("complaint")
        return GenericSettings(
            auth,
            {name: each for name, each in templates.items() if each is not None},
            tuple(self.refusals(tables.get("refused"))),
            None if complaint is None else self.finder("complaint", complaint, None),
            dict(self.words(tables.get("words"))),
            self.fields("receipts", tables.get("receipts"), _RECEIPT, ("word",)),
            self.fields("incoming", tables.get("incoming"), _INCOMING, ("ref", "sender", "body")),
        )

    @staticmethod
    def names(table: str) -> tuple[str, ...]:
        return (*_REQUEST, *_ANSWER, *(_STATE if table == "status" else ()))

    def template(self, name: str, table: Mapping[str, Any]) -> Template | None:
        places, before = PLACES[name], len(self.mistakes)
        bodies = [key for key in ("form", "json", "body") if key in table]
        for key in bodies[1:]:
            self.wrong(f"{name}.{key}", f"There is {bodies[0]} already: a request has one body.")
        media_type = self.text(f"{name}.media_type", table.get("media_type", JSON if "json" in table else ""))
        form = table.get("form")
        made = Template(
            self.one_of(
                f"{name}.method", table.get("method", "GET" if name == "status" else "POST"), _METHODS
            ),
            self.path(name, table, places - {"secret", "body"}),
            self.pairs(f"{name}.query", table.get("query"), places),
            self.pairs(f"{name}.headers", table.get("headers"), places - {"body"}),
            None if form is None else self.pairs(f"{name}.form", form, places),
            self.leaves(f"{name}.json", table.get("json"), places),
            self.place(f"{name}.body", table["body"], places) if "body" in table else None,
            media_type or None,
            self.statuses(f"{name}.statuses", table.get("statuses"), range(200, 300)),
            self.pattern(f"{name}.success", table.get("success")),
            dict(self.finders(name, table)),
        )
        self.against_template(name, table)
        return made if len(self.mistakes) == before else None

    def against_template(self, name: str, table: Mapping[str, Any]) -> None:
        told = {"word", "word_pattern"} if name == "status" else {"success", "id", "id_pattern"}
        if not told & table.keys():
            what = (
                "its word for the state"
                if name == "status"
                else "that it was accepted, and not a page of errors"
            )
            self.wrong(name, f"Say how an answer tells {what}: give one of {', '.join(sorted(told))}.")
        if name == "status" and not any("{ref}" in str(table.get(key)) for key in _REQUEST):
            self.wrong(name, "It asks of one message: its path, query or body needs the place {ref}.")

    def path(self, name: str, table: Mapping[str, Any], places: frozenset[str]) -> Text:
        if "path" not in table:
            self.wrong(f"{name}.path", "This is needed: what comes behind base_url, such as /send.")
            return Text(())
        found = self.place(f"{name}.path", table["path"], places)
        if isinstance(table["path"], str) and (
            not table["path"].startswith("/") or set("?# ") & set(table["path"])
        ):
            self.wrong(
                f"{name}.path", "It begins with / and holds no blank, ? or #: what follows ? goes into query."
            )
        return found

    def finders(self, name: str, table: Mapping[str, Any]) -> Iterator[tuple[str, Finder]]:
        for key in ("id", "word", "detail", "price", "parts"):
            path, pattern = table.get(key), table.get(f"{key}_pattern")
            if path is not None and pattern is not None:
                self.wrong(f"{name}.{key}", f"Give this or {key}_pattern, not both.")
            elif path is not None or pattern is not None:
                yield key, self.finder(f"{name}.{key}", path, pattern)

    def finder(self, where: str, path: object, pattern: object) -> Finder:
        if pattern is not None:
            return Finder(pattern=self.pattern(f"{where}_pattern", pattern, finds=True))
        nowhere: tuple[str | int, ...] = ()
        return Finder(path=self.tried(where, lambda: parse_path(path), nowhere))

    def refusals(self, written: object) -> Iterator[Refused]:
        if written is None:
            return
        if not isinstance(written, list):
            self.wrong("refused", "Give a list of tables: [[providers.NAME.refused]].")
            return
        for index, each in enumerate(written):
            where = f"refused[{index}]"
            table = self.table(where, each, _REFUSED)
            if table is None:
                continue
            if not {"pattern", "statuses"} & table.keys():
                self.wrong(where, "Say which answers it is: by pattern, statuses or both.")
            yield Refused(
                _VERDICTS[
                    self.one_of(f"{where}.verdict", table.get("verdict", "rejected"), tuple(_VERDICTS))
                ],
                self.pattern(f"{where}.pattern", table.get("pattern")),
                self.statuses(f"{where}.statuses", table.get("statuses"), range(200, 600)),
            )

    def words(self, written: object) -> Iterator[tuple[str, str]]:
        for word, meaning in (self.table("words", written) or {}).items():
            yield word.lower(), self.one_of(f"words.{word}", meaning, tuple(_WORDS))

    def fields(
        self, where: str, written: object, known: tuple[str, ...], needed: tuple[str, ...]
    ) -> dict[str, str]:
        table = self.table(where, written, known)
        if table is None:
            return {}
        for key in (key for key in needed if key not in table):
            self.wrong(f"{where}.{key}", "This is needed: the name of a field, or a path into JSON.")
        return {key: self.text(f"{where}.{key}", value) for key, value in table.items()}

    def pairs(self, where: str, written: object, places: frozenset[str]) -> tuple[tuple[str, Text], ...]:
        """Names with a text, or with a list of texts for a name that is repeated."""
        return tuple(
            (name, self.place(f"{where}.{name}", each, places))
            for name, value in (self.table(where, written) or {}).items()
            for each in (value if isinstance(value, list) else [value])
        )

    def leaves(self, where: str, written: Any, places: frozenset[str]) -> Any:
        if isinstance(written, dict):
            return {name: self.leaves(f"{where}.{name}", each, places) for name, each in written.items()}
        if isinstance(written, list):
            return [self.leaves(f"{where}[{index}]", each, places) for index, each in enumerate(written)]
        return self.place(where, written, places) if isinstance(written, str) else written

    def table(
        self, where: str, written: object, known: tuple[str, ...] | None = None
    ) -> Mapping[str, Any] | None:
        if written is None:
            return None
        if not isinstance(written, dict):
            self.wrong(where, "Give a table of names and values.")
            return None
        for key in written:
            if known is not None and key not in known:
                self.wrong(f"{where}.{key}", f"This name is not known here.{texts.nearest(key, known)}")
        return written

    def statuses(self, where: str, written: object, all: range) -> frozenset[int]:
        if written is None:
            return frozenset()
        if (
            not isinstance(written, list)
            or not written
            or any(type(each) is not int or each not in all for each in written)
        ):
            self.wrong(where, f"Give a list of HTTP statuses, from {all[0]} to {all[-1]}.")
            return frozenset()
        return frozenset(written)

    def pattern(self, where: str, written: object, finds: bool = False) -> re.Pattern[str] | None:
        if written is None:
            return None
        return self.tried(where, lambda: parse_pattern(written, finds=finds), None)

    def place(self, where: str, written: object, places: frozenset[str]) -> Text:
        return self.tried(where, lambda: parse_text(written, places), Text(()))

    def text(self, where: str, written: object) -> str:
        if isinstance(written, str):
            return written
        self.wrong(where, "Give a text in quotes.")
        return ""

    def one_of(self, where: str, written: object, known: tuple[str, ...]) -> str:
        if written in known:
            return str(written)
        self.wrong(where, f"It is one of {', '.join(known)}.{texts.nearest(str(written), known)}")
        return known[0]

    def tried(self, where: str, make: Callable[[], T], otherwise: T) -> T:
        try:
            return make()
        except ValueError as error:
            self.wrong(where, str(error))
            return otherwise

    def wrong(self, where: str, what: str) -> None:
        self.mistakes.append(Mistake(where, what))


def _leaves(value: Any) -> Iterator[Text]:
    if isinstance(value, Text):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _leaves(each)
    elif isinstance(value, list):
        for each in value:
            yield from _leaves(each)
