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
from dialerd.cloud import Cloud
from dialerd.config import Config, load
from dialerd.core.channels import watched
from dialerd.core.disposition import judge
from dialerd.core.errors import Broken, ConfigError, DialerError
from dialerd.core.routing import channel_for
from dialerd.core.signals import SpoolStirred
from dialerd.engine.desk import Desk
from dialerd.engine.engine import Engine
from dialerd.engine.housekeeping import Housekeeper
from dialerd.engine.inbox import Finish
from dialerd.engine.ports import EngineSettings
from dialerd.intake.api import Api, ApiSettings, Extras
from dialerd.intake.dropbox import Dropbox, DropSettings
from dialerd.intake.present import present
from dialerd.lock import hold, state_folder
from dialerd.pbx.ami import Ami, AmiSettings, Secret
from dialerd.pbx.callfile import render
from dialerd.pbx.plainfile import to_document
from dialerd.pbx.spool import Spool, SpoolSettings
from dialerd.reports.reporter import Reporter
from dialerd.rulebook import Rulebook
from dialerd.store.figures import Figures
from dialerd.store.reader import SqliteReader
from dialerd.store.reports import ReportStore
from dialerd.store.sqlite import SqliteStore
from dialerd.watch import FolderWatch, Kind

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Another at each start of the machine (random(4))."""

EXIT_BUG = 70
EXIT_CONFIG = 78
RELOAD_LIMIT_S = 30.0
FIXED = (
    *("state_dir", "log", "socket", "queue", "drop_folder", "asterisk", "ami"),
    *("reports", "webhooks", "hooks", "results", "listener"),
)
"""What is built once, at the start: a change of it needs a restart."""

LOOK_AFTER_S = 2.0
"""How often systemd is told how we are, and the folder watches are looked after."""


class Daemon:
    """All the parts of one running daemon."""

    def __init__(self, config: Config, path: Path | None = None) -> None:
        self.config, self.path = config, path
        self.notifier = systemd.Notifier()
        self._ending: queue.SimpleQueue[int | None] = queue.SimpleQueue()
        self._reload_trouble: list[str] = []
        self._undo: list[Callable[[], object]] = []
        self._reload_due = False

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
        config = self.config
        state = state_folder(config.state_dir)
        hold(state, "the state folder")
        spool = Spool(SpoolSettings(spool=config.asterisk.spool, user=config.asterisk.user))
        spool.check()
        hold(config.asterisk.spool / "dialerd", "the spool")
        self._keep_rules(Rulebook(config))
        self._undo.append(lambda: self.rulebook.stop())
        store = SqliteStore(state)
        self._undo.append(store.close)
        reader, figures = SqliteReader(state), Figures(state)
        self._undo += [reader.close, figures.close]
        self.cloud = Cloud(
            state,
            config.listener_settings(),
            self.rulebook,
            store.blocks(datetime.now(UTC)),
            lambda told: self.engine.post(told),
        )
        engine, ami = self._engine(store, spool)
        self.engine, self.desk, self.reader = engine, Desk(engine, reader, figures), reader
        desk = self.desk
        engine.oldest_needed = lambda: 0
        engine.start()
        self._undo += [engine.stop, self.cloud.finish, partial(engine.post, Finish())]
        if ami is not None:
            ami.start()
            self._undo.append(ami.stop)
        self._undo.append(partial(setattr, desk, "stopping", True))
        self.cloud.start(desk.tell)
        self._undo.append(self.cloud.close_doors)
        self.reporter = self._reporter(state)
        self.dropbox = self._dropbox(desk)
        self._watch(engine, self.dropbox)
        self.housekeeper = Housekeeper(engine, reader, figures, self._old_files(), config.queue.keep)
        self.api = Api(
            ApiSettings(config.socket.path, config.socket.mode, config.socket.group),
            desk,
            self.rulebook.rules(),
            self.rulebook.roles(),
            Extras(
                lambda: self.rulebook,
                self.reporter,
                self.cloud.accounts,
                self.cloud.inventory.merge,
                self.cloud.documents,
                self.cloud.addresses,
            ),
        )
        self.api.start()
        self._undo.append(self.api.stop)

    def _old_files(self) -> list[Path]:
        """Folders whose files are kept no longer than ended jobs."""
        config = self.config
        rejected = [config.drop_folder.path / "rejected"] if config.drop_folder.enabled else []
        return [*rejected, config.asterisk.spool / "dialerd" / "doubt"]

    def _keep_rules(self, rulebook: Rulebook) -> None:
        self.rulebook = rulebook
        rulebook.start()

    def reload(self) -> None:
        """Reads the configuration again, and puts the new rules in the place of the old ones, all at once.

        A configuration with mistakes changes nothing, and is told of in the status. So is what can't be
        changed without a restart.
        """
        try:
            config = load(self.path)
            rulebook = Rulebook(config)
        except ConfigError as error:
            self._reload_trouble = [f"The configuration was not read again, it has mistakes: {error}."]
            log.get_logger(__name__).error("reload_refused", mistakes=[str(each) for each in error.mistakes])
            return
        before = self.rulebook
        fixed = [name for name in FIXED if getattr(config, name) != getattr(self.config, name)]
        self._reload_trouble = [f"A change of [{name}] counts after a restart of dialerd." for name in fixed]
        rulebook.stop_lists.succeed(before.stop_lists)
        self._keep_rules(rulebook)
        try:
            self.desk.reconfigure(rulebook.policy()).result(RELOAD_LIMIT_S)
        except (DialerError, TimeoutError) as error:
            self._reload_trouble = [f"The new configuration is not in force yet, and is read again: {error}"]
            self._reload_due, self.rulebook = True, before
            log.get_logger(__name__).error("reload_waits", why=str(error))
            rulebook.stop()
            return
        self._reload_due = False
        rulebook.stop_lists.succeed(before.stop_lists)
        self.cloud.reconfigure(rulebook)
        self.api.reconfigure(rulebook.rules(), rulebook.roles())
        if self.dropbox is not None:
            self.dropbox.reconfigure(rulebook.rules(), rulebook.roles())
        before.stop()
        log.get_logger(__name__).info("reloaded", restart_needed=fixed)

    def _reporter(self, state: Path) -> Reporter:
        store = ReportStore(state)
        self._undo.append(store.close)
        reporter = Reporter(self.config.report_settings(), self.desk, store, present)
        reporter.start()
        self.engine.oldest_needed = lambda: reporter.oldest_needed() + 1
        self._undo.append(reporter.stop)
        return reporter

    def _engine(self, store: SqliteStore, spool: Spool) -> tuple[Engine, Ami | None]:
        config = self.config
        settings = EngineSettings(
            version=__version__,
            boot=BOOT_ID.read_text().strip(),
            max_jobs=config.queue.max_jobs,
            min_free_bytes=config.queue.min_free_mb * 1024 * 1024,
            max_calls=config.asterisk.max_calls,
            longest_call_s=config.asterisk.longest_call,
            ami=config.ami is not None,
            keep_s=config.queue.keep,
            redact_after_s=config.queue.redact_after,
            held_limit_s=config.queue.held_limit,
            due_limit_s=config.queue.due_limit,
        )
        ami = None
        if config.ami is not None:
            ours = config.ami
            ami = Ami(
                AmiSettings(ours.host, ours.port, ours.username, Secret(ours.secret)),
                lambda told: engine.post(told),
                watched=lambda: watched(engine.gate.rules.trunks),
            )
        engine = Engine(
            store,
            spool,
            ami,
            channel_for,
            render,
            judge,
            settings,
            self.rulebook.policy(),
            failed=lambda _: self.end(EXIT_BUG),
            providers=self.cloud.accounts,
        )
        return engine, ami

    def _dropbox(self, desk: Desk) -> Dropbox | None:
        config = self.config
        if not config.drop_folder.enabled:
            return None
        dropbox = Dropbox(
            DropSettings(folder=config.drop_folder.path),
            desk,
            self.rulebook.rules(),
            to_document,
            roles=self.rulebook.roles(),
            documents=self.cloud.documents,
        )
        dropbox.start()
        self._undo.append(dropbox.stop)
        return dropbox

    def _watch(self, engine: Engine, dropbox: Dropbox | None) -> None:
        spool, drop = self.config.asterisk.spool, self.config.drop_folder.path / "drop"
        folders: dict[Path, tuple[Kind, ...]] = {
            spool / "outgoing": ("closed",),
            spool / "outgoing_done": ("closed",),
        }
        if dropbox is not None:
            folders[drop] = ("closed", "moved")

        def wake(folder: Path, name: str) -> None:
            if dropbox is not None and folder == drop:
                dropbox.wake(name or None, closed=bool(name))
            else:
                engine.post(SpoolStirred(frozenset([name])))

        self.watch = FolderWatch(folders, wake)
        self.watch.start()
        self._undo.append(self.watch.stop)

    def _wait(self) -> int:
        """Until somebody asks for the end: looks after the watches, and tells systemd how we are."""
        patience = min(LOOK_AFTER_S, self.notifier.interval or LOOK_AFTER_S)
        while True:
            try:
                code = self._ending.get(timeout=patience)
                if code is not None:
                    return code
                self.reload()
            except queue.Empty:
                if self._reload_due:
                    self.reload()
                self.desk.folder_problems = self._problems()
                if not self.api.alive():
                    log.get_logger(__name__).error("socket_lost", why="the API's thread has ended")
                    return EXIT_BUG
                self._tell_systemd()

    def _problems(self) -> list[str]:
        kept = [] if self.dropbox is None else self.dropbox.problems()
        policy = [*self._reload_trouble, *self.rulebook.problems(), *self.reporter.problems()]
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
