"""submit --dry-run: what would become of each row, counted by reason; nothing is accepted."""

from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import click

from dialerd.cli import exits, show
from dialerd.cli.seen import Seen

LISTED = 20
"""Rows that are told by number."""

_NAMED = 10
_TOOK_NO_ANSWER = (429, 503)
_ORDER = ("now", "later", "refused", "unknown")
_WORDS = {
    "do_not_call": "on do-not-call",
    "destination": "to destinations that are not allowed",
    "premium": "to premium numbers",
    "satellite": "to satellite numbers",
    "emergency": "to emergency numbers",
    "hours": "outside hours",
    "cap": "over a cap",
    "role": "beyond your role",
    "trunk": "without a trunk that takes them",
    "caller_id": "with a caller id that is not allowed",
    "duplicate": "twice",
    "paused": "paused",
    "key": "with a key that stands for another job",
}


@dataclass
class _Reason:
    """The rows with one verdict for one reason; `at` is when the first and the last of them may be called."""

    verdict: str
    rule: str
    count: int = 0
    rows: list[int] = field(default_factory=list)
    at: tuple[str, str] | None = None

    def add(self, row: int, at: str | None) -> None:
        self.count += 1
        if len(self.rows) < LISTED:
            self.rows.append(row)
        if at is not None:
            self.at = (at, at) if self.at is None else (min(self.at[0], at), max(self.at[1], at))

    def words(self) -> str:
        if self.verdict == "now":
            return "now"
        bare = {"later": "later", "refused": "invalid"}.get(self.verdict, "not judged: try again later")
        text = _WORDS.get(self.rule, self.rule.replace("_", " ")) or bare
        if self.at is None:
            return text
        return f"{text} until {_clock(self.at[0])}{'' if self.at[0] == self.at[1] else ' or later'}"

    def phrase(self) -> str:
        invalid = self.verdict == "refused" and not self.rule
        return f"{self.count} {self.words()}{f': {row_list(self.rows, self.count)}' if invalid else ''}"


class Preview:
    """Counts the answers of a dry run; memory does not grow with the rows."""

    def __init__(self) -> None:
        self.rows = 0
        self.first: tuple[int, str] | None = None
        self._reasons: dict[tuple[str, str], _Reason] = {}
        self._twice = _Reason("now", "duplicate")
        self._seen = Seen()

    @property
    def refused(self) -> int:
        """Rows that would not be taken."""
        return sum(each.count for each in self._reasons.values() if each.verdict in ("refused", "unknown"))

    def close(self) -> None:
        """Lets the file go."""
        self._seen.close()

    def add(self, row: int, answer: Mapping[str, Any]) -> None:
        """One row's answer."""
        self.rows += 1
        verdict, rule = _verdict(answer)
        self._reasons.setdefault((verdict, rule), _Reason(verdict, rule)).add(row, answer.get("at"))
        if self.first is None and "call_file" in answer:
            self.first = row, answer["call_file"]
        if not all([self._seen.add(number) for number in answer.get("to", ())]):  # noqa: C419 - adds each
            self._twice.add(row, None)

    def report(self, as_json: bool) -> int:
        """Prints it all; the exit code."""
        if as_json:
            show.print_json(self._document())
        else:
            click.echo(self.sentence())
            if self._twice.count:
                rows = row_list(self._twice.rows, self._twice.count)
                click.echo(f"{self._twice.count} repeat the number of a row above: {rows}")
            if self.first is not None:
                click.echo(f"\nThe first call would be row {self.first[0]}:\n{self.first[1].rstrip()}")
        if any(reason.verdict == "refused" for reason in self._sorted()):
            return exits.REFUSED
        return exits.TRY_LATER if any(each.verdict == "unknown" for each in self._sorted()) else exits.DONE

    def sentence(self) -> str:
        """The counts by reason."""
        phrases = [reason.phrase() for reason in self._sorted()]
        return f"{self.rows} row{'' if self.rows == 1 else 's'}: {', '.join(phrases) or 'nothing to do'}"

    def _document(self) -> dict[str, Any]:
        counts = [
            {
                "verdict": each.verdict,
                "rule": each.rule,
                "words": each.words(),
                "count": each.count,
                "rows": each.rows,
                "at": each.at and each.at[0],
            }
            for each in self._sorted()
        ]
        return {
            "rows": self.rows,
            "taken": sum(each.count for each in self._sorted() if each.verdict in ("now", "later")),
            "counts": counts,
            "duplicates": {"count": self._twice.count, "rows": self._twice.rows},
            "first": self.first and {"row": self.first[0], "call_file": self.first[1]},
        }

    def _sorted(self) -> list[_Reason]:
        """What is called first, what is wrong last."""
        return sorted(
            self._reasons.values(), key=lambda each: (_ORDER.index(each.verdict), not each.rule, -each.count)
        )


def counted() -> "closing[Preview]":
    """A Preview that is closed behind its block."""
    return closing(Preview())


def row_list(rows: list[int], count: int) -> str:
    """Some rows by number."""
    named = ", ".join(map(str, rows[:_NAMED]))
    return f"row{'' if count == 1 else 's'} {named}{', ...' if count > len(rows[:_NAMED]) else ''}"


def _verdict(answer: Mapping[str, Any]) -> tuple[str, str]:
    if answer["status"] == 200:
        return answer["verdict"], answer["rule"]
    if answer["status"] in _TOOK_NO_ANSWER:
        return "unknown", ""
    return "refused", "key" if answer["status"] == 409 else _rule_of(answer)


def refusal_words(problem: Mapping[str, Any]) -> str:
    """Why a row was refused, in a few words."""
    return _Reason(*_verdict(problem)).words()


def _rule_of(problem: Mapping[str, Any]) -> str:
    """The rule that refuses a row, "" where it is plainly wrong."""
    rules = list(_rules(problem))
    return rules[0] if all(rules) else ""


def _rules(problem: Mapping[str, Any]) -> Iterator[str]:
    mistakes = problem.get("mistakes")
    if not mistakes:
        yield str(problem.get("rule", ""))
    for mistake in mistakes or ():
        yield str(mistake.get("rule", ""))


def _clock(text: str) -> str:
    """A time as one says it: today's without the day."""
    at = datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone()
    return at.strftime("%H:%M" if at.date() == datetime.now().astimezone().date() else "%Y-%m-%d %H:%M")
