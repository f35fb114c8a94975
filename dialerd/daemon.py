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
from functools import partial
from pathlib import Path

import click

from dialerd import __version__, log, systemd
from dialerd.config import Config, load
from dialerd.core.disposition import judge
from dialerd.core.errors import Broken, ConfigError, Mistake
from dialerd.core.routing import channel_for
from dialerd.core.signals import SpoolStirred
from dialerd.engine.desk import Desk
from dialerd.engine.engine import Engine
from dialerd.engine.ports import EngineSettings
from dialerd.intake.api import Api, ApiSettings
from dialerd.intake.dropbox import Dropbox, DropSettings
from dialerd.lock import hold
from dialerd.pbx.ami import Ami, AmiSettings, Secret
from dialerd.pbx.callfile import render
from dialerd.pbx.plainfile import to_document
from dialerd.pbx.spool import Spool, SpoolSettings
from dialerd.store.reader import SqliteReader
from dialerd.store.sqlite import SqliteStore
from dialerd.watch import FolderWatch, Kind

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Another at each start of the machine (random(4))."""

EXIT_BUG = 70
EXIT_CONFIG = 78
LOOK_AFTER_S = 2.0
"""How often systemd is told how we are, and the folder watches are looked after."""


class Daemon:
    """All the parts of one running daemon."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.notifier = systemd.Notifier()
        self._ending: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._undo: list[Callable[[], object]] = []

    def end(self, code: int) -> None:
        """Asks for the end; safe from any thread and from a signal's handler."""
        self._ending.put(code)

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
        state = _state_folder(config.state_dir)
        hold(state, "the state folder")
        spool = Spool(SpoolSettings(spool=config.asterisk.spool, user=config.asterisk.user))
        spool.check()
        hold(config.asterisk.spool / "dialerd", "the spool")
        store = SqliteStore(state)
        self._undo.append(store.close)
        reader = SqliteReader(state)
        self._undo.append(reader.close)
        engine, ami = self._engine(store, spool)
        self.engine, self.desk = engine, Desk(engine, reader)
        desk = self.desk
        engine.start()
        self._undo.append(engine.stop)
        if ami is not None:
            ami.start()
            self._undo.append(ami.stop)
        self._undo.append(partial(setattr, desk, "stopping", True))
        self.dropbox = self._dropbox(desk)
        self._watch(engine, self.dropbox)
        api = Api(
            ApiSettings(config.socket.path, config.socket.mode, config.socket.group), desk, config.rules()
        )
        api.start()
        self.api = api
        self._undo.append(api.stop)

    def _engine(self, store: SqliteStore, spool: Spool) -> tuple[Engine, Ami | None]:
        config, rules = self.config, self.config.rules()
        settings = EngineSettings(
            version=__version__,
            boot=BOOT_ID.read_text().strip(),
            max_jobs=config.queue.max_jobs,
            min_free_bytes=config.queue.min_free_mb * 1024 * 1024,
            max_calls=config.asterisk.max_calls,
            longest_call_s=config.asterisk.longest_call,
            ami=config.ami is not None,
        )
        ami = None
        if config.ami is not None:
            ours = config.ami
            ami = Ami(
                AmiSettings(ours.host, ours.port, ours.username, Secret(ours.secret)),
                lambda told: engine.post(told),
            )
        dial = partial(channel_for, rules=rules)
        engine = Engine(store, spool, ami, dial, render, judge, settings, failed=lambda _: self.end(EXIT_BUG))
        return engine, ami

    def _dropbox(self, desk: Desk) -> Dropbox | None:
        config = self.config
        if not config.drop_folder.enabled:
            return None
        dropbox = Dropbox(DropSettings(folder=config.drop_folder.path), desk, config.rules(), to_document)
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
                return self._ending.get(timeout=patience)
            except queue.Empty:
                kept = [] if self.dropbox is None else self.dropbox.problems()
                self.desk.folder_problems = [*self.watch.tend(), *kept]
                if not self.api.alive():
                    log.get_logger(__name__).error("socket_lost", why="the API's thread has ended")
                    return EXIT_BUG
                self._tell_systemd()

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


def _state_folder(path: Path) -> Path:
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        why = f"the state folder can't be made: {error.strerror}. Make it, owned by dialerd's user."
        raise ConfigError([Mistake(str(path), why)]) from error
    return path


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
            click.echo("The configuration is fine.")
            return
        log.setup(config.log.level, config.log.format)
        daemon = Daemon(config)
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
