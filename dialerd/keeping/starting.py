"""What is looked after before a store is opened: a restore that was interrupted, leftovers of backups, and a
backup before an upgrade."""

import shutil
from pathlib import Path

from dialerd.keeping import placing
from dialerd.keeping.backup import WORK, before_upgrade
from dialerd.keeping.restore import KNOWN
from dialerd.log import get_logger
from dialerd.store.opening import refuse_newer

log = get_logger(__name__)


def at_start(state: Path) -> None:
    """Called with the state folder's lock held. Raises Broken, and NewerStore for a state that a newer
    dialerd wrote: then nothing of it was changed."""
    aside = placing.finish(state)
    if aside is not None:
        log.warning("restore_finished", why="it had been interrupted", old_state=aside)
    shutil.rmtree(state / WORK, ignore_errors=True)
    for name, known in KNOWN.items():
        refuse_newer(state / name, known)
    before_upgrade(state, KNOWN)
