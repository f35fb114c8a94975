"""Reading the configuration again while the daemon runs: all of it counts, or nothing does."""

from collections.abc import Callable
from pathlib import Path

from dialerd.config import Config, load
from dialerd.core.errors import ConfigError, DialerError
from dialerd.log import get_logger
from dialerd.rulebook import Rulebook

log = get_logger(__name__)

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

    def __init__(self, config: Config, path: Path | None) -> None:
        """Reads the rules of the configuration that dialerd starts with. Raises ConfigError."""
        self._config, self._path = config, path
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
            config = load(self._path)
            book = Rulebook(config)
        except ConfigError as error:
            self.due, self.refused = False, True
            mistakes = str(error).rstrip(".")
            self.trouble = [f"The configuration was not read again, it has mistakes: {mistakes}."]
            log.error("reload_refused", mistakes=[str(each) for each in error.mistakes])
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
        before.stop()
        log.info("reloaded", restart_needed=fixed)
