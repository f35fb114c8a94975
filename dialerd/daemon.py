"""dialerd: the daemon, in the foreground.

Builds the parts, starts them in order, stops them in reverse. The one place that knows all concrete parts.

Exit codes: 0 stopped as asked, 70 a bug of ours (start it again: recovery looks at what was under way), 78
the configuration can't be used (every mistake is on stderr).
"""

import os
import queue
import resource
import signal
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

import click

from dialerd import __version__, log, systemd
from dialerd.building import make_dropbox, make_engine, make_watch
from dialerd.cloud import Cloud
from dialerd.config import Config, load
from dialerd.core.errors import Broken, ConfigError
from dialerd.engine.desk import Desk
from dialerd.engine.housekeeping import Housekeeper
from dialerd.engine.inbox import Finish
from dialerd.intake.api import Api, ApiSettings, Extras
from dialerd.intake.present import present
from dialerd.lock import hold, state_folder
from dialerd.pbx.spool import Spool, SpoolSettings
from dialerd.reloading import Reloading
from dialerd.reports.reporter import Reporter
from dialerd.rulebook import Rulebook
from dialerd.store.figures import Figures
from dialerd.store.reader import SqliteReader
from dialerd.store.reports import ReportStore
from dialerd.store.sqlite import SqliteStore

EXIT_BUG = 70
EXIT_CONFIG = 78
RELOAD_LIMIT_S = 30.0
LOOK_AFTER_S = 2.0
"""How often systemd is told how we are, and the folder watches are looked after."""


class Daemon:
    """All the parts of one running daemon."""

    def __init__(self, config: Config, path: Path | None = None) -> None:
        self.config, self.path = config, path
        self.notifier = systemd.Notifier()
        self._ending: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._undo: list[Callable[[], object]] = []

    def end(self, code: int) -> None:
        """Asks for the end; safe from any thread and from a signal's handler."""
        self._ending.put(code)

    def ask_to_reload(self) -> None:
        """Asks for the configuration to be read again; safe from a signal's handler."""
        self._ending.put(None)

    def run(self) -> int:
        """Runs until end() is called; returns the exit code. Raises ConfigError or Broken where it can't
        start."""
        _raise_file_limit()
        try:
            self._start()
            self.notifier.ready()
            log.get_logger(__name__).info("started", version=__version__, pid=os.getpid())
            return self._wait()
        finally:
            self.notifier.stopping()
            while self._undo:
                self._undo.pop()()

    def _start(self) -> None:
        state, spool = self._ground()
        self._rules()
        self._work(state, spool)
        self._ways_out(state)
        self._ways_in()

    def _ground(self) -> tuple[Path, Spool]:
        """The folders that must be ours alone."""
        config = self.config
        state = state_folder(config.state_dir)
        hold(state, "the state folder")
        spool = Spool(SpoolSettings(spool=config.asterisk.spool, user=config.asterisk.user))
        spool.check()
        hold(config.asterisk.spool / "dialerd", "the spool")
        return state, spool

    def _rules(self) -> None:
        self.rules = Reloading(self.config, self.path)
        self.rules.book.start()
        self._undo.append(lambda: self.rules.book.stop())

    def _work(self, state: Path, spool: Spool) -> None:
        """Store and engine: from here on, jobs are worked on."""
        store = SqliteStore(state)
        self._undo.append(store.close)
        self.reader, self.figures = SqliteReader(state), Figures(state)
        self._undo += [self.reader.close, self.figures.close]
        self.cloud = Cloud(
            state,
            self.config.listener_settings(),
            self.rules.book,
            store.blocks(datetime.now(UTC)),
            lambda told: self.engine.post(told),
        )
        self.engine, ami = make_engine(
            self.config,
            store,
            spool,
            self.rules.book,
            self.cloud.accounts,
            failed=lambda _: self.end(EXIT_BUG),
        )
        self.desk = Desk(self.engine, self.reader, self.figures)
        self.engine.oldest_needed = lambda: 0
        self.engine.start()
        self._undo += [self.engine.stop, self.cloud.finish, partial(self.engine.post, Finish())]
        if ami is not None:
            ami.start()
            self._undo.append(ami.stop)
        self._undo.append(partial(setattr, self.desk, "stopping", True))

    def _ways_out(self, state: Path) -> None:
        """What listens to providers, and tells sinks."""
        self.cloud.start(self.desk.tell)
        self._undo.append(self.cloud.close_doors)
        reports = ReportStore(state)
        self._undo.append(reports.close)
        self.reporter = Reporter(self.config.report_settings(), self.desk, reports, present)
        self.reporter.start()
        self.engine.oldest_needed = lambda: self.reporter.oldest_needed() + 1
        self._undo.append(self.reporter.stop)

    def _ways_in(self) -> None:
        """Drop folder and socket, last: what they accept is worked on at once."""
        config, book, cloud = self.config, self.rules.book, self.cloud
        self.dropbox = make_dropbox(config, self.desk, book, cloud.documents)
        if self.dropbox is not None:
            self.dropbox.start()
            self._undo.append(self.dropbox.stop)
        self.watch = make_watch(config, self.engine.post, self.dropbox)
        self.watch.start()
        self._undo.append(self.watch.stop)
        self.housekeeper = Housekeeper(
            self.engine, self.reader, self.figures, self._old_files(), config.queue.keep
        )
        self.api = Api(
            ApiSettings(config.socket.path, config.socket.mode, config.socket.group),
            self.desk,
            book.rules(),
            book.roles(),
            Extras(
                lambda: self.rules.book,
                self.reporter,
                cloud.accounts,
                cloud.inventory.merge,
                cloud.documents,
                cloud.addresses,
            ),
        )
        self.api.start()
        self._undo.append(self.api.stop)

    def _old_files(self) -> list[Path]:
        """Folders whose files are kept no longer than ended jobs."""
        config = self.config
        rejected = [config.drop_folder.path / "rejected"] if config.drop_folder.enabled else []
        return [*rejected, config.asterisk.spool / "dialerd" / "doubt"]

    def _reload(self) -> None:
        self.rules.reload(
            lambda book: self.desk.reconfigure(book.policy()).result(RELOAD_LIMIT_S), self._keep_to
        )

    def _keep_to(self, book: Rulebook) -> None:
        """New rules, which the engine has taken, for all others."""
        self.cloud.reconfigure(book)
        self.api.reconfigure(book.rules(), book.roles())
        if self.dropbox is not None:
            self.dropbox.reconfigure(book.rules(), book.roles())

    def _wait(self) -> int:
        """Until somebody asks for the end: looks after the watches, and tells systemd how we are."""
        patience = min(LOOK_AFTER_S, self.notifier.interval or LOOK_AFTER_S)
        while True:
            try:
                code = self._ending.get(timeout=patience)
                if code is not None:
                    return code
                self._reload()
            except queue.Empty:
                if self.rules.due:
                    self._reload()
                self.desk.folder_problems = self._problems()
                if not self.api.alive():
                    log.get_logger(__name__).error("socket_lost", why="the API's thread has ended")
                    return EXIT_BUG
                self._tell_systemd()

    def _problems(self) -> list[str]:
        kept = [] if self.dropbox is None else self.dropbox.problems()
        policy = [*self.rules.trouble, *self.rules.book.problems(), *self.reporter.problems()]
        self.housekeeper.look()
        self.cloud.sweep(monotonic(), self.reader.documents)
        return [*self.watch.tend(), *kept, *policy, *self.housekeeper.problems, *self.cloud.problems()]

    def _tell_systemd(self) -> None:
        status = self.desk.status()
        jobs = ", ".join(f"{count} {state}" for state, count in status["jobs"].items())
        self.notifier.status("; ".join([jobs or "no jobs", *status["problems"]]))
        if self.engine.turned_within(LOOK_AFTER_S * 10):
            self.notifier.watchdog()


def _raise_file_limit() -> None:
    """As many open files as the administrator allows: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


@click.command()
@click.option("--config", "path", type=click.Path(path_type=Path), help="The configuration file.")
@click.option(
    "--check", is_flag=True, help="Only look at the configuration, say what is wrong with it, and end."
)
@click.version_option(__version__)
def main(path: Path | None, check: bool) -> None:
    """Takes call jobs over a Unix socket and from a folder, and brings them to their end through Asterisk."""
    try:
        systemd.require()
        config = load(path)
        if check:
            Rulebook(config)
            click.echo("The configuration is fine.")
            return
        log.setup(config.log.level, config.log.format)
        daemon = Daemon(config, path)
        signal.signal(signal.SIGHUP, lambda *_: daemon.ask_to_reload())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: daemon.end(0))
        code = daemon.run()
    except (ConfigError, Broken) as error:
        mistakes = error.mistakes if isinstance(error, ConfigError) else [error]
        click.echo("\n".join(f"dialerd: {mistake}" for mistake in mistakes), err=True)
        sys.exit(EXIT_CONFIG if isinstance(error, ConfigError) else EXIT_BUG)
    sys.exit(code)


if __name__ == "__main__":
    main()
