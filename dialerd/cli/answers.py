"""What providers answer, as a person reads it: a table of a list, names and values of a single thing."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from dialerd.cli import errors, exits, show
from dialerd.client.errors import ClientError, raise_problem
from dialerd.core.operations import OPERATIONS, Effect

Answers = Sequence[Mapping[str, Any]]
_REFUSED = 422
_MOMENTS = ("at",)


def _money(item: Mapping[str, Any]) -> str:
    return f"{item['price']} {item.get('currency', '')}".rstrip() if "price" in item else ""


def _total(item: Mapping[str, Any]) -> str:
    return f"{item['total']} {item.get('currency', '')}".rstrip() if "total" in item else ""


def state(item: Mapping[str, Any]) -> str:
    """How a receipt stands: our word, and the provider's behind it where that says more."""
    word = str(item.get("word", ""))
    if "disposition" in item:
        ours = show.disposition_words(item["disposition"])
    else:
        ours = "received" if item.get("incoming") else "under way"
        ours = "with the carrier" if item.get("handed_on") else ours
    return f"{ours} ({word})" if word and word.lower() != ours.lower() else ours


def _text(item: Mapping[str, Any]) -> str:
    words = " ".join(str(item.get("body", "")).split()) or str(item.get("recording", ""))
    return words if len(words) <= 60 else f"{words[:59]}…"


def _lines(item: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in item.get("details", {}).items())


def _areas(item: Mapping[str, Any]) -> str:
    return " ".join(str(each["code"]) for each in item.get("areas", ()))


def _note(item: Mapping[str, Any]) -> str:
    return "the provider does not list it" if item.get("missing") else ""


def _renewal(item: Mapping[str, Any]) -> str:
    until = str(item.get("expiry", ""))
    if "renews" in item:
        until = f"{until} {'renews' if item['renews'] else 'ends'}".strip()
    return until


Column = tuple[str, Any]
RECEIPTS: tuple[Column, ...] = (
    ("AT", lambda item: show.when(item.get("at"))), ("TO", "to"), ("FROM", "sender"), ("STATE", state),
    ("SECONDS", "seconds"), ("PARTS", "parts"), ("PRICE", _money), ("REF", "ref"), ("SESSION", "session"),
    ("TEXT", _text),
)  # fmt: skip
NUMBERS: tuple[Column, ...] = (
    ("NUMBER", "number"), ("ID", "id"), ("COUNTRY", "country"), ("AREA", "area"), ("PLACE", "place"),
    ("CAN", lambda item: " ".join(item.get("capabilities", ()))), ("SETUP", "setup"), ("MONTHLY", "monthly"),
    ("PER MINUTE", "per_minute"), ("CURRENCY", "currency"), ("EXPIRY", _renewal), ("CALLS TO", "forward_to"),
    ("SMS TO", "forward_sms_to"), ("ROUTE", "primary_route"), ("FAILOVER", "failover_route"),
    ("ALIAS", "alias"), ("CONTEXT", "context"), ("NOTE", _note),
)  # fmt: skip
AREAS: tuple[Column, ...] = (("CODE", "code"), ("NAME", "name"), ("PREFIX", "prefix"), ("AREAS", _areas))
PRICES: tuple[Column, ...] = (
    ("PRICE", "rate"), ("CURRENCY", "currency"), ("PER", "unit"), ("PARTS", "parts"), ("IN ALL", _total),
    ("MINUTES LEFT", "minutes"),
)  # fmt: skip
ROUTES: tuple[Column, ...] = (("ID", "id"), ("TYPE", "type"), ("VALUE", "value"), ("ALIAS", "alias"))
BALANCES: tuple[Column, ...] = (("BALANCE", "balance"), ("CURRENCY", "currency"), ("OF WHICH", _lines))
COLUMNS: Mapping[str, tuple[Column, ...]] = {
    **dict.fromkeys(("sms.history", "fax.history", "voice.history"), RECEIPTS),
    **dict.fromkeys(("sms.rate", "fax.rate", "voice.rate", "numbers.rate"), PRICES),
    **dict.fromkeys(("numbers.search", "numbers.list"), NUMBERS),
    **dict.fromkeys(("numbers.countries", "numbers.areas", "numbers.exchanges"), AREAS),
    "routes.list": ROUTES,
    "account.balance": BALANCES,
}
"""The operations whose answers are tables; all others are shown name by name."""


def report(operation: str, answers: Answers, as_json: bool, of_one_thing: bool) -> int:
    """Prints what was answered; the exit code. `of_one_thing`: it is of one provider only, so that the others
    may not know it."""
    good = [each for each in answers if "error" not in each]
    bad = [each for each in answers if "error" in each]
    if of_one_thing and good:
        bad = [each for each in bad if each["error"].get("status") != _REFUSED]
    if as_json:
        _as_json([*good, *bad])
    elif operation in COLUMNS:
        _as_table(COLUMNS[operation], good, len(answers) > 1)
    else:
        _as_details(good, len(answers) > 1, OPERATIONS[operation].effect is Effect.ACT)
    for each in bad:
        for sentence in errors.problem_sentences(each["error"]):
            click.echo(f"dialerctl: {sentence}", err=True)
    codes = {_code(each["error"]) for each in bad}
    if good and codes:
        return exits.DONE if of_one_thing else exits.NOT_DONE
    return exits.DONE if not codes else codes.pop() if len(codes) == 1 else exits.NOT_DONE


def _code(document: Mapping[str, Any]) -> int:
    try:
        raise_problem(int(document["status"]), document)
    except ClientError as error:
        return exits.of_error(error)


def _as_json(answers: Answers) -> None:
    for each in answers:
        if "error" in each:
            show.print_json({"provider": each["provider"], **each["error"]})
        for item in _items(each):
            show.print_json({"provider": each["provider"], **item})


def _items(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(answer["items"]) if "items" in answer else [answer["value"]] if "value" in answer else []


def _as_table(columns: Sequence[Column], answers: Answers, with_names: bool) -> None:
    if not answers:
        return
    pairs = [(str(each["provider"]), item) for each in answers for item in _items(each)]
    if len(answers) > 1 and all("at" in item for _, item in pairs):
        pairs.sort(key=lambda pair: str(pair[1]["at"]), reverse=True)
    titles = [title for title, _ in columns]
    rows = [[_cell(item, what) for _, what in columns] for _, item in pairs]
    if with_names:
        titles, rows = (
            ["PROVIDER", *titles],
            [[name, *row] for (name, _), row in zip(pairs, rows, strict=True)],
        )
    show.table(titles, rows)


def _cell(item: Mapping[str, Any], what: Any) -> str:
    value = what(item) if callable(what) else item.get(what)
    return "" if value is None else str(value)


def _as_details(answers: Answers, with_names: bool, acted: bool) -> None:
    first = True
    for each in answers:
        for item in _items(each):
            if not first:
                click.echo()
            first = False
            _details({"provider": each["provider"], **item} if with_names else item, acted)


def _details(item: Mapping[str, Any], acted: bool) -> None:
    """Names and values; a receipt says first how it stands. The word that answers an act tells no state."""
    shown: dict[str, str] = {}
    if "disposition" in item or ("word" in item and not acted):
        shown["state"] = state(item)
    for name, value in _flat(item):
        shown[name] = show.when(value) if name in _MOMENTS else value
    width = max(map(len, shown), default=0)
    for name, value in shown.items():
        click.echo(f"{name:<{width}}  {value}")


def _flat(item: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for name, value in item.items():
        if name == "raw":
            yield name, show.plain(value)
        elif isinstance(value, Mapping):
            yield from ((str(inner), str(each)) for inner, each in value.items())
        elif name not in ("disposition", "word", "handed_on"):
            yield name, "yes" if value is True else "no" if value is False else show.plain(value)
