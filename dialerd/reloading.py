"""Reading the configuration again while the daemon runs: all of it counts, or nothing does."""

from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TypeVar

from dialerd.config import Config, load
from dialerd.core.errors import ConfigError, DialerError
from dialerd.log import get_logger
from dialerd.rulebook import Rulebook

log = get_logger(__name__)

T = TypeVar("T")

SIGN_EVERY_S = 2.0
READ_LIMIT_S = 480.0
"""How long the files may take to be read: a stop list of many millions takes minutes. Less than what systemd
waits for a reload (TimeoutStartSec= of dialerd.service)."""

FIXED = (
    *("state_dir", "log", "socket", "queue", "drop_folder", "asterisk", "ami"),
    *("reports", "webhooks", "hooks", "results", "listener"),
)
"""What is built once, at the start: a change of it needs a restart."""


class Reloading:
    """Keeps the rules in force, and puts others in their place.

    `trouble` is what an operator should know of the last try; `due` tells that it is to be tried again,
    `refused` that the file has mistakes.
    """

    def __init__(
        self, config: Config, path: Path | None, meanwhile: Callable[[], object] = lambda: None
    ) -> None:
        """Reads the rules of the configuration that dialerd starts with. Raises ConfigError. `meanwhile` is
        called now and then while a reload waits for files: large ones must not look like a standstill."""
        self._config, self._path, self._meanwhile = config, path, meanwhile
        self.book = Rulebook(config)
        self.trouble: list[str] = []
        self.due = self.refused = False

    def reload(self, agree: Callable[[Rulebook], None], tell: Callable[[Rulebook], None]) -> None:
        """Reads the configuration again, and puts the new rules in the place of the old ones, all at once.

        `agree` asks the engine to take them, and raises DialerError or TimeoutError where it can't by now;
        `tell` hands them to all others. A configuration with mistakes changes nothing, and is told of in the
        status. So is what can't be changed without a restart.
        """
        try:
            config, book = self._aside(self._read)
        except (ConfigError, TimeoutError) as error:
            self._refuse(error)
            return
        self.refused = False
        fixed = [name for name in FIXED if getattr(config, name) != getattr(self._config, name)]
        self.trouble = [f"A change of [{name}] counts after a restart of dialerd." for name in fixed]
        before = self.book
        book.stop_lists.succeed(before.stop_lists)
        self.book = book
        book.start()
        try:
            agree(book)
        except (DialerError, TimeoutError) as error:
            self.trouble = [f"The new configuration is not in force yet, and is read again: {error}"]
            self.due, self.book = True, before
            log.error("reload_waits", why=str(error))
            book.stop()
            return
        self.due = False
        book.stop_lists.succeed(before.stop_lists)
        tell(book)
        # Aside, since it may be reading a large list just now.
        Thread(target=before.stop, name="reload", daemon=True).start()
        log.info("reloaded", restart_needed=fixed)

    def _read(self) -> tuple[Config, Rulebook]:
        config = load(self._path)
        return config, Rulebook(config)

    def _refuse(self, error: ConfigError | TimeoutError) -> None:
        self.due, self.refused = False, True
        if isinstance(error, ConfigError):
            mistakes = [str(each) for each in error.mistakes]
            told = f"The configuration was not read again, it has mistakes: {str(error).rstrip('.')}."
        else:
            told = (
                "The configuration was not read again: its files could not be read within"
                f" {READ_LIMIT_S:g} s. Look whether their disk answers."
            )
            mistakes = [told]
        self.trouble = [told]
        log.error("reload_refused", mistakes=mistakes)

    def _aside(self, work: Callable[[], T]) -> T:
        """What the work returns or raises, done in a thread of its own, with signs of life meanwhile. Raises
        TimeoutError, and leaves the thread behind, where it takes too long: a disk may hang."""
        done: Future[T] = Future()
        Thread(target=_settle, args=(done, work), name="reload", daemon=True).start()
        end = monotonic() + READ_LIMIT_S
        while True:
            try:
                return done.result(SIGN_EVERY_S)
            except TimeoutError:
                if done.done() or monotonic() > end:
                    raise
                self._meanwhile()


def _settle(done: "Future[T]", work: Callable[[], T]) -> None:
    try:
        done.set_result(work())
    except BaseException as error:  # noqa: BLE001 - the thread's outermost frame; it is raised by who waits
        done.set_exception(error)
