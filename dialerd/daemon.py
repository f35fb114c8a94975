"""dialerd: the daemon, in the foreground.

Builds the parts, starts them in order, stops them in reverse. The one place that knows all concrete parts.

Exit codes: 0 stopped as asked, 70 a bug of ours, or what the configuration names can't be used by now (start
it again: recovery looks at what was under way, and the disk may be back), 78 the configuration has mistakes
(every one is on stderr), or a newer dialerd wrote the state.
"""

import faulthandler
import os
import queue
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from time import monotonic

import click

from dialerd import __version__, log, systemd
from dialerd.building import make_dropbox, make_engine, make_looking, make_unit_watch, make_watch
from dialerd.checks.daemon import Looking
from dialerd.cloud import Cloud
from dialerd.complaints import Complaints
from dialerd.config import Config, load
from dialerd.core.errors import Broken, ConfigError, Mistake, NewerStore, NoGround
from dialerd.engine.desk import Desk
from dialerd.engine.housekeeping import Housekeeper
from dialerd.engine.inbox import Finish
from dialerd.intake.api import Api, ApiSettings, Extras
from dialerd.intake.api.listening import turn_away
from dialerd.intake.present import present
from dialerd.keeping.backup import Backups
from dialerd.keeping.starting import at_start
from dialerd.lock import hold, not_anothers, state_folder
from dialerd.measuring import Measures
from dialerd.pbx.spool import Spool, SpoolSettings
from dialerd.reloading import Reloading
from dialerd.reports.reporter import Reporter
from dialerd.rulebook import Rulebook, looked_through
from dialerd.store.figures import Figures
from dialerd.store.reader import SqliteReader
from dialerd.store.reports import ReportStore
from dialerd.store.sqlite import SqliteStore

EXIT_BUG = 70
EXIT_CONFIG = 78
RELOAD_LIMIT_S = 30.0
LOOK_AFTER_S = 2.0
"""How often systemd is told how we are, and the folder watches are looked after."""

STILL_S = 20.0
"""How long the engine, or the socket's thread, may stand still before systemd gets no more signs of life."""


class Daemon:
    """All the parts of one running daemon."""

    def __init__(self, config: Config, path: Path | None = None, inherited: int | None = None) -> None:
        """`inherited` is the descriptor of a socket that listens already (systemd's), or None."""
        self.config, self.path, self.inherited = config, path, inherited
        self.notifier, self.measures, self.complaints = systemd.Notifier(), Measures(), Complaints()
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
        with _may_come_back():
            state, spool = self._ground()
        self._rules()
        with _may_come_back():
            self._work(state, spool)
            self._ways_out(state)
            self._ways_in()

    def _ground(self) -> tuple[Path, Spool]:
        """The folders that must be ours alone."""
        config = self.config
        state = state_folder(config.state_dir)
        not_anothers(state)
        hold(state, "the state folder")
        at_start(state)
        self.backups = Backups(state, config.queue.min_free_mb << 20)
        spool = Spool(SpoolSettings(spool=config.asterisk.spool, user=config.asterisk.user))
        spool.check()
        hold(config.asterisk.spool / "dialerd", "the spool")
        return state, spool

    def _rules(self) -> None:
        self.rules = Reloading(self.config, self.path, self._give_a_sign)
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
            self.measures.counts,
        )
        self.engine, ami = make_engine(
            self.config,
            store,
            spool,
            self.rules.book,
            self.cloud.accounts,
            failed=lambda _: self.end(EXIT_BUG),
        )
        self.measures.count(self.engine, store, self.cloud)
        self.desk = Desk(self.engine, self.reader, self.figures)
        self.engine.oldest_needed = lambda: 0
        unit = make_unit_watch(self.config, self.engine.post)
        if unit is not None:
            unit.start()
            self._undo.append(unit.stop)
        self.engine.start()
        self._undo += [self.engine.stop, self.cloud.finish, partial(self.engine.post, Finish())]
        if ami is not None:
            ami.start()
            self._undo.append(ami.stop)
        self._undo.append(partial(setattr, self.desk, "stopping", True))

    def _ways_out(self, state: Path) -> None:
        """What listens to providers, and tells sinks."""
        self.cloud.start(self.desk.tell, self.measures.text)
        self._undo.append(self.cloud.close_doors)
        reports = ReportStore(state)
        self._undo.append(reports.close)
        self.reporter = Reporter(
            self.config.report_settings(), self.desk, reports, present, meters=self.measures.counts
        )
        self.reporter.start()
        self.engine.oldest_needed = lambda: self.reporter.oldest_needed() + 1
        self._undo.append(self.reporter.stop)

    def _ways_in(self) -> None:
        """Drop folder and socket, last: what they accept is worked on at once."""
        config, book, cloud = self.config, self.rules.book, self.cloud
        self.dropbox = make_dropbox(config, self.desk, book, cloud.documents)
        if self.dropbox is not None:
            self.dropbox.meters = self.measures.counts
            self.dropbox.start()
            self._undo.append(self.dropbox.stop)
        self.watch = make_watch(config, self.engine.post, self.dropbox, self.measures.counts)
        self.watch.start()
        self._undo.append(self.watch.stop)
        self.housekeeper = Housekeeper(
            self.engine, self.reader, self.figures, self._old_files(), config.queue.keep
        )
        self._measure()
        self.api = Api(
            ApiSettings(config.socket.path, config.socket.mode, config.socket.group, self.inherited),
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
                self.measures.counts,
                self.measures.text,
                self._looking(),
                self.backups.stream,
            ),
        )
        self.api.start()
        self._undo += [self.api.stop, self.backups.stop]

    def _looking(self) -> Looking:
        """What looks at everything, when somebody asks."""
        book, stuck = (lambda: self.rules.book), (lambda: self.housekeeper.problems)
        return make_looking(self.config, book, self.desk, stuck, self.reporter.figures, self.cloud)

    def _measure(self) -> None:
        parts = (self.desk, self.engine, self.cloud, self.reporter, self.housekeeper, self.rules)
        self.measures.look(self.config.state_dir, self.config.asterisk.spool, *parts)
        self._undo.append(self.measures.close)

    def _old_files(self) -> list[Path]:
        """Folders whose files are kept no longer than ended jobs."""
        config = self.config
        rejected = [config.drop_folder.path / "rejected"] if config.drop_folder.enabled else []
        return [*rejected, config.asterisk.spool / "dialerd" / "doubt"]

    def _reload(self) -> None:
        """Between RELOADING and READY, as Type=notify-reload asks for, whatever came of it: the status says
        that."""
        self.notifier.reloading()
        self.rules.reload(
            lambda book: self.desk.reconfigure(book.policy()).result(RELOAD_LIMIT_S), self._keep_to
        )
        self.desk.folder_problems = self._problems()
        self.notifier.status("; ".join(self.rules.trouble) or "The configuration was read again.")
        self.notifier.ready()

    def _keep_to(self, book: Rulebook) -> None:
        """New rules, which the engine has taken, for all others."""
        self.cloud.reconfigure(book)
        self.measures.know(self.engine, self.cloud)
        self.api.reconfigure(book.rules(), book.roles())
        if self.dropbox is not None:
            self.dropbox.reconfigure(book.rules(), book.roles())

    def _wait(self) -> int:
        """Until somebody asks for the end: looks after the watches, and tells systemd how we are."""
        patience = min(LOOK_AFTER_S, self.notifier.interval or LOOK_AFTER_S)
        while True:
            try:
                code = self._asked_for(patience)
                if code is not None:
                    return code
                self._reload()
                self._give_a_sign()
            except queue.Empty:
                if self.rules.due:
                    self._reload()
                self.desk.folder_problems = self._problems()
                if not self.api.alive():
                    log.get_logger(__name__).error("socket_lost", why="the API's thread has ended")
                    return EXIT_BUG
                self._tell_systemd()

    def _asked_for(self, patience: float) -> int | None:
        """The end, with its code, or None for a reload: one for all who have asked by now, since many of them
        would keep the end and the signs of life waiting. Raises queue.Empty where nobody asks in time."""
        asked = [self._ending.get(timeout=patience)]
        with suppress(queue.Empty):
            while True:
                asked.append(self._ending.get_nowait())
        return next((code for code in asked if code is not None), None)

    def _problems(self) -> list[str]:
        kept = [] if self.dropbox is None else self.dropbox.problems()
        policy = [*self.rules.trouble, *self.rules.book.problems(), *self.reporter.problems()]
        self.housekeeper.look()
        self.cloud.sweep(monotonic(), self.reader.documents)
        ways_in = [*self.watch.tend(), *kept, *self.api.problems()]
        return [*ways_in, *policy, *self.housekeeper.problems, *self.cloud.problems()]

    def _tell_systemd(self) -> None:
        status = self.desk.status()
        jobs = ", ".join(f"{count} {state}" for state, count in status["jobs"].items())
        self.notifier.status("; ".join([jobs or "no jobs", *self.complaints.told(status["problems"])]))
        self._give_a_sign()

    def _give_a_sign(self) -> None:
        if self.engine.turned_within(STILL_S) and self.api.answered_within(STILL_S):
            self.notifier.watchdog()


@contextmanager
def _may_come_back() -> Iterator[None]:
    """What is wrong here is no mistake in the configuration: another start may find it mended."""
    try:
        yield
    except ConfigError as error:
        raise NoGround(error.mistakes) from error


def _raise_file_limit() -> None:
    """As many open files as the administrator allows: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _only_one(inherited: list[int]) -> list[int]:
    """None or one. Raises ConfigError where systemd hands over more."""
    if len(inherited) > 1:
        what = "systemd hands over several sockets. Leave one ListenStream= in dialerd.socket."
        raise ConfigError([Mistake("socket.path", what)])
    return inherited


@click.command()
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    help="The configuration file; default /etc/dialerd/dialerd.toml.",
)
@click.option(
    "--check", is_flag=True, help="Only look at the configuration, say what is wrong with it, and end."
)
@click.version_option(__version__)
def main(path: Path | None, check: bool) -> None:
    """Takes call jobs over a Unix socket and from a folder, and brings them to their end through Asterisk."""
    inherited: list[int] = []
    try:
        systemd.require()
        inherited = systemd.inherited_sockets()
        if check:
            log.setup("error", "text")
            click.echo(looked_through(path))
            return
        config = load(path)
        log.setup(config.log.level, config.log.format)
        faulthandler.enable()  # where the watchdog ends us (SIGABRT), the log says where each thread stood
        daemon = Daemon(config, path, *_only_one(inherited))
        signal.signal(signal.SIGHUP, lambda *_: daemon.ask_to_reload())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: daemon.end(0))
        code = daemon.run()
    except (ConfigError, Broken) as error:
        mistakes = error.mistakes if isinstance(error, ConfigError) else [error]
        for descriptor in inherited:
            turn_away(descriptor)
        click.echo("\n".join(f"dialerd: {mistake}" for mistake in mistakes), err=True)
        wants_a_person = isinstance(error, ConfigError | NewerStore) and not isinstance(error, NoGround)
        sys.exit(EXIT_CONFIG if wants_a_person else EXIT_BUG)
    sys.exit(code)


if __name__ == "__main__":
    main()
