"""The parts of a daemon, made from its configuration. daemon.py starts and stops them."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from dialerd import __version__
from dialerd.checks.daemon import Ground, Looking
from dialerd.cloud import Cloud
from dialerd.config import Config
from dialerd.core.channels import watched
from dialerd.core.disposition import judge
from dialerd.core.meters import NOBODY, Meters
from dialerd.core.routing import channel_for
from dialerd.core.signals import SpoolStirred
from dialerd.documents import FolderOfDocuments
from dialerd.engine.asterisk import WINDOW_MAX
from dialerd.engine.desk import Desk
from dialerd.engine.engine import Engine
from dialerd.engine.ports import EngineSettings, Providers
from dialerd.intake.api.providers import PROBES
from dialerd.intake.dropbox import Dropbox, DropSettings
from dialerd.intake.dropbox_files import prepare
from dialerd.pbx.ami import Ami, AmiSettings, Secret
from dialerd.pbx.callfile import render
from dialerd.pbx.folders import Folders
from dialerd.pbx.plainfile import to_document
from dialerd.pbx.spool import Spool
from dialerd.pbx.spool_check import mistakes
from dialerd.rulebook import Rulebook
from dialerd.store.sqlite import SqliteStore
from dialerd.units import UnitWatch
from dialerd.watch import FolderWatch, Kind

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
"""Another at each start of the machine (random(4))."""


def engine_settings(config: Config) -> EngineSettings:
    """What the engine needs to know."""
    return EngineSettings(
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


def make_engine(
    config: Config,
    store: SqliteStore,
    spool: Spool,
    book: Rulebook,
    providers: Providers,
    failed: Callable[[BaseException], None],
) -> tuple[Engine, Ami | None]:
    """The engine, and what listens to Asterisk for it; None where no AMI is configured."""
    ami = None
    if (ours := config.ami) is not None:
        ami = Ami(
            AmiSettings(ours.host, ours.port, ours.username, Secret(ours.secret)),
            lambda told: engine.post(told),
            watched=lambda: watched(engine.gate.rules.trunks),
        )
    settings, policy = engine_settings(config), book.policy()
    engine = Engine(
        store, spool, ami, channel_for, render, judge, settings, policy, failed=failed, providers=providers
    )
    return engine, ami


def make_unit_watch(config: Config, post: Callable[[Any], None]) -> UnitWatch | None:
    """What tells whether Asterisk's unit runs; None where it is not to be watched."""
    return UnitWatch(config.asterisk.service, post) if config.asterisk.service else None


def make_dropbox(config: Config, desk: Desk, book: Rulebook, documents: FolderOfDocuments) -> Dropbox | None:
    """What takes files from the drop folder; None where that is switched off."""
    if not config.drop_folder.enabled:
        return None
    folder = DropSettings(folder=config.drop_folder.path)
    return Dropbox(folder, desk, book.rules(), to_document, roles=book.roles(), documents=documents)


def make_watch(
    config: Config, post: Callable[[Any], None], dropbox: Dropbox | None, meters: Meters = NOBODY
) -> FolderWatch:
    """What wakes the engine and the dropbox when a folder changes."""
    spool, drop = config.asterisk.spool, config.drop_folder.path / "drop"
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
            post(SpoolStirred(frozenset([name])))

    return FolderWatch(folders, wake, meters)


def make_looking(
    config: Config,
    book: Callable[[], Rulebook],
    desk: Desk,
    stuck: Callable[[], Sequence[str]],
    sinks: Callable[[], Mapping[str, Mapping[str, Any]]],
    cloud: Cloud,
) -> Looking:
    """What looks at everything, for `dialerctl check`. `book` gives the rules that are in force."""
    asterisk, drop = config.asterisk, config.drop_folder
    return Looking(
        Ground(
            config=config,
            window=WINDOW_MAX,
            probes=PROBES,
            status=desk.status,
            stuck=stuck,
            lines=desk.trunks,
            rules=lambda: book().policy().rules,
            stop_lists=lambda: [(each.name, each.path, each.own) for each in book().stop_lists.files()],
            list_problems=lambda: book().problems(),
            sinks=sinks,
            accounts=cloud.accounts,
            spool=lambda: mistakes(Folders(asterisk.spool), asterisk.user),
            prepare=partial(prepare, DropSettings(drop.path)) if drop.enabled else None,
            listener=cloud.listening,
        )
    )
