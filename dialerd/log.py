"""The log: fields in the journal under systemd, readable lines on stderr elsewhere, or JSON. The one file
that knows structlog.

error means that a person must act, warning that we coped, info what happened. Numbers are masked.
"""

import logging
import os
import re
import select
import sys
import threading
import traceback
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

from dialerd.journal import SOCKET, WAIT_S, Journal, printable

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "journal", "json", "text"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SYSLOG = {"critical": 2, "error": 3, "exception": 3, "warning": 4, "info": 6, "debug": 7}
_E164 = re.compile(r"\+\d[\d ./()-]{3,30}\d")
_DIGITS = re.compile(r"\+?\d{5,}")
_NUMBERS_IN = frozenset({"to", "number", "channel", "caller_id", "extension", "why", "reason", "detail"})
"""Fields in which every long run of digits is a number; elsewhere only what begins with + is."""

_OWN = frozenset({"event", "level", "timestamp", "exc_info", "stack_info"})
"""What an entry of the journal has in fields of the journal's own."""


def get_logger(name: str) -> FilteringBoundLogger:
    """The log of one module, also before setup(). Events are past tense snake_case, the rest fields."""
    log: FilteringBoundLogger = structlog.get_logger(module=name)
    return log


def mask(number: str) -> str:
    """A number by its last digits: +15551234567 is …4567. Of a short one at most half is shown."""
    return "…" + number[-min(4, max(1, len(number) // 2)) :]


def setup(level: Level, format: Format, stream: TextIO | None = None, journal: str = SOCKET) -> None:
    """Sets up the process's log, also for what libraries say by `logging`.

    `auto`: fields into the journal where `stream` (stderr) leads there, else text. What the journal does not
    take, or where it is not there at all (`journal` is its socket), is JSON on `stream`.
    """
    out = stream or sys.stderr
    under_systemd = _is_journal(out)
    wanted = format == "journal" or (format == "auto" and under_systemd)
    there = _opened(journal) if wanted else None
    json = wanted or format == "json"
    lines = _Stream(out, patient=not under_systemd)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _mask_numbers,
            *([_Entries(there)] if there is not None else []),
            *(_as_json() if json else _as_text(out)),
            _mask_line,
            *([_with_priority] if under_systemd and json else []),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: lines,
    )
    logging.basicConfig(handlers=[_FromLibraries()], level=max(_LEVELS[level], logging.WARNING), force=True)


def _is_journal(stream: TextIO) -> bool:
    """Whether systemd connected this stream to its journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        here = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{here.st_dev}:{here.st_ino}"


def _opened(path: str) -> Journal | None:
    try:
        return Journal(path)
    except OSError:
        return None


class _Entries:
    """Hands entries to the journal; what it does not take goes on to stderr."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def __call__(self, _: Any, method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        told = {name: value for name, value in fields.items() if name not in _OWN}
        words = (f"{name}={printable(str(told[name]))}" for name in sorted(told))
        message = " ".join([str(fields.get("event", "")), *words])
        if fields.get("exc_info"):
            message = f"{message}\n{_traceback(fields['exc_info'])}"
        if self._journal.send(message, _SYSLOG.get(method, 6), {"event": fields.get("event"), **told}):
            raise structlog.DropEvent
        return fields


def _traceback(exc_info: Any) -> str:
    """What went wrong and where, without the values of variables."""
    if isinstance(exc_info, BaseException):
        exc_info = (type(exc_info), exc_info, exc_info.__traceback__)
    elif not isinstance(exc_info, tuple):
        exc_info = sys.exc_info()
    text = "".join(traceback.format_exception(*exc_info))
    return _E164.sub(lambda found: mask(found[0]), printable(text, "\n"))


def _write_traceback(out: TextIO, exc_info: Any) -> None:
    out.write(f"\n{_traceback(exc_info)}".rstrip("\n"))


def _as_json() -> list[Processor]:
    return [
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
        lambda _, __, line: printable(str(line)),
    ]


def _as_text(stream: TextIO) -> list[Processor]:
    return [
        _printable_values,
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(),
            pad_event_to=0,
            exception_formatter=_write_traceback,
        ),
    ]


def _printable_values(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A terminal must not obey what a line of text tells; nor may it look like two."""
    return {name: printable(value) if isinstance(value, str) else value for name, value in fields.items()}


def _mask_numbers(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in fields.items():
        pattern = _DIGITS if name in _NUMBERS_IN else _E164
        if isinstance(value, str) and name not in ("event", "timestamp"):
            fields[name] = pattern.sub(lambda found: mask(found[0]), value)
        elif isinstance(value, list | tuple):
            fields[name] = [
                pattern.sub(lambda found: mask(found[0]), each) if isinstance(each, str) else each
                for each in value
            ]
    return fields


def _mask_line(_: Any, __: str, line: Any) -> str:
    """What an exception says, too."""
    return _E164.sub(lambda found: mask(found[0]), str(line))


def _with_priority(_: Any, method: str, line: Any) -> str:
    """Puts <3> and the like before the line, from which the journal takes its priority (sd-daemon(3))."""
    return f"<{_SYSLOG.get(method, 6)}>{line}"


class _Stream:
    """Writes whole lines. A stream that is gone (a closed terminal) never stops the daemon. One that is not
    `patient`, the journal's, is not waited for: lines that it has no room for are lost, and counted."""

    _lock = threading.Lock()

    def __init__(self, stream: TextIO, patient: bool = True) -> None:
        self._stream, self._patient, self._lost = stream, patient, 0

    def msg(self, line: str) -> None:
        with self._lock:
            try:
                if not self._patient and not self._has_room():
                    self._lost += 1
                    return
                if self._lost:
                    line, self._lost = f"<4>log_entries_lost count={self._lost}\n{line}", 0
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except (OSError, ValueError):
                return

    def _has_room(self) -> bool:
        """Where a socket can be written to, three quarters of its room are left: enough for a line."""
        room = select.poll()
        room.register(self._stream, select.POLLOUT)
        return bool(room.poll(0 if self._lost else WAIT_S * 1000))

    debug = info = warning = error = critical = exception = msg


class _FromLibraries(logging.Handler):
    """Hands on what libraries report by the standard library's logging."""

    def emit(self, record: logging.LogRecord) -> None:
        log = get_logger(record.name)
        log.log(record.levelno, "library_reported", text=record.getMessage(), exc_info=record.exc_info)
