"""The log, on stderr: JSON under systemd, readable lines on a terminal. The one file that knows structlog.

error means that a person must act, warning that we coped, info what happened. Numbers are masked.
"""

import logging
import os
import re
import sys
import threading
from collections.abc import MutableMapping
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import FilteringBoundLogger, Processor

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["auto", "json", "text"]

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SYSLOG = {"critical": 2, "error": 3, "exception": 3, "warning": 4, "info": 6, "debug": 7}
_E164 = re.compile(r"\+\d[\d ./()-]{3,30}\d")
_DIGITS = re.compile(r"\+?\d{5,}")
_NUMBERS_IN = frozenset({"to", "number", "channel", "caller_id", "extension", "why", "reason", "detail"})
"""Fields in which every long run of digits is a number; elsewhere only what begins with + is."""


def get_logger(name: str) -> FilteringBoundLogger:
    """The log of one module, also before setup(). Events are past tense snake_case, the rest fields."""
    log: FilteringBoundLogger = structlog.get_logger(module=name)
    return log


def mask(number: str) -> str:
    """A number by its last digits: +15551234567 is …4567. Of a short one at most half is shown."""
    return "…" + number[-min(4, max(1, len(number) // 2)) :]


def setup(level: Level, format: Format, stream: TextIO | None = None) -> None:
    """Sets up the process's log, also for what libraries say by `logging`. `auto`: JSON in the journal."""
    out = stream or sys.stderr
    journal = _is_journal(out)
    json = format == "json" or (format == "auto" and journal)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _mask_numbers,
            *(_as_json() if json else _as_text(out)),
            *([_with_priority] if journal and json else []),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=lambda *_: _Stream(out),
    )
    logging.basicConfig(handlers=[_FromLibraries()], level=max(_LEVELS[level], logging.WARNING), force=True)


def _is_journal(stream: TextIO) -> bool:
    """Whether systemd connected this stream to its journal (systemd.exec(5), JOURNAL_STREAM)."""
    try:
        here = os.fstat(stream.fileno())
    except (OSError, ValueError):
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{here.st_dev}:{here.st_ino}"


def _as_json() -> list[Processor]:
    return [
        structlog.processors.ExceptionRenderer(
            structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        ),
        structlog.processors.JSONRenderer(ensure_ascii=False, default=str),
    ]


def _as_text(stream: TextIO) -> list[Processor]:
    return [
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    ]


def _mask_numbers(_: Any, __: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in fields.items():
        if isinstance(value, str) and name not in ("event", "timestamp"):
            pattern = _DIGITS if name in _NUMBERS_IN else _E164
            fields[name] = pattern.sub(lambda found: mask(found[0]), value)
    return fields


def _with_priority(_: Any, method: str, line: Any) -> str:
    """Puts <3> and the like before the line, from which the journal takes its priority (sd-daemon(3))."""
    return f"<{_SYSLOG.get(method, 6)}>{line}"


class _Stream:
    """Writes whole lines. A stream that is gone (a closed terminal) never stops the daemon."""

    _lock = threading.Lock()

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def msg(self, line: str) -> None:
        with self._lock:
            try:
                self._stream.write(f"{line}\n")
                self._stream.flush()
            except (OSError, ValueError):
                return

    debug = info = warning = error = critical = exception = msg


class _FromLibraries(logging.Handler):
    """Hands on what libraries report by the standard library's logging."""

    def emit(self, record: logging.LogRecord) -> None:
        log = get_logger(record.name)
        log.log(record.levelno, "library_reported", text=record.getMessage(), exc_info=record.exc_info)
