"""The ground: folders, disks, and how fast they are."""

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from dialerd.checks import rights
from dialerd.core.errors import ConfigError, Mistake
from dialerd.core.findings import Finding, error, note, ok, skipped, warning

SLOW_SYNC_S = 0.25
FEW_INODES = 10_000
_PROBE = ".check"
_MB = 1 << 20


def spool(
    mistakes: Callable[[], Iterable[Mistake]], path: Path, asterisk: int | None = None
) -> Iterator[Finding]:
    """The spool's folders, tried out: modes, owners, one mount, and files given to Asterisk's user
    (`asterisk`); and, as far as that can be seen, whether Asterisk may take them."""
    found = [_error("spool", each) for each in mistakes()]
    found = found or list(rights.asterisks(path / "outgoing", asterisk))
    yield from found
    if not found:
        yield ok("spool", f"Call files can be put into {path} whole, and taken back.")


def drop_folder(prepare: Callable[[], object], path: Path) -> Iterator[Finding]:
    """The drop folder, tried out, and who may put files into it."""
    try:
        prepare()
        mode = (path / "drop").stat().st_mode
    except ConfigError as refusal:
        yield from (_error("drop folder", each) for each in refusal.mistakes)
        return
    except OSError as trouble:
        yield error("drop folder", f"{path}: {trouble.strerror}.", f"Make {path} dialerd's own again.")
        return
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        found = f"Everybody may write in {path / 'drop'}, and remove what others dropped."
        yield warning("drop folder", found, f"Run: chmod +t {path / 'drop'}")
    else:
        yield ok("drop folder", f"Files are taken from {path / 'drop'} (mode {stat.S_IMODE(mode):04o}).")


def state_folder(path: Path) -> Iterator[Finding]:
    """Whether the state folder can be written, and how long the disk takes to say that something is safe."""
    probe = path / _PROBE
    try:
        with suppress(FileNotFoundError):
            probe.unlink()
        with probe.open("xb", buffering=0) as file:
            begun = time.monotonic()
            file.write(bytes(4096))
            os.fsync(file.fileno())
            took = time.monotonic() - begun
    except OSError as trouble:
        found = f"The state folder {path} can't be written: {trouble.strerror}. Nothing is accepted."
        yield error("state folder", found, "Make room or mount it read-write; dialerd goes on by itself.")
        return
    finally:
        with suppress(OSError):
            probe.unlink()
    if took >= SLOW_SYNC_S:
        found = f"The disk of {path} took {took * 1000:.0f} ms to sync a page: each submit waits for that."
        yield warning("state folder", found, "Use a faster disk, or look what else keeps it busy.")
    else:
        yield ok("state folder", f"{path} can be written; a sync takes {took * 1000:.1f} ms.")


def results_folder(path: Path) -> Iterator[Finding]:
    """Whether results can be written: the sandbox shows no homes, and lets nothing be written elsewhere."""
    if not path.is_dir():
        wrong = "is not there, or can't be seen from the service (homes can't)"
    elif not os.access(path, os.W_OK | os.X_OK, effective_ids=True):
        wrong = "can't be written by dialerd"
    else:
        yield ok("results folder", f"Results can be written to {path}.")
        return
    todo = (
        "Make it as dialerd's user, outside of homes; let the service write there: systemctl edit dialerd,"
        f" with ReadWritePaths={path} under [Service]; then systemctl restart dialerd."
    )
    yield error("results folder", f"{path} {wrong}. Results wait.", todo)


def disks(folders: Mapping[str, Path], min_free_mb: int) -> Iterator[Finding]:
    """Room for bytes and for files, once for each disk."""
    told: set[int] = set()
    for what, path in folders.items():
        try:
            device, state = path.stat().st_dev, os.statvfs(path)
        except OSError as trouble:
            yield skipped("disk", f"The disk of the {what} ({path}) can't be looked at: {trouble.strerror}.")
            continue
        if device not in told:
            told.add(device)
            yield from _disk(what, path, state, min_free_mb)


def _disk(what: str, path: Path, state: os.statvfs_result, min_free_mb: int) -> Iterator[Finding]:
    free = state.f_bavail * state.f_frsize // _MB
    where = f"The disk of the {what} ({path})"
    if state.f_flag & os.ST_RDONLY:
        yield error(
            "disk", f"{where} is mounted read-only.", "Look into the kernel's log, then mount it anew."
        )
    elif free < min_free_mb:
        found = f"{where} has {free} MB free, less than min_free_mb ({min_free_mb}): nothing is accepted."
        yield error("disk", found, "Make room; dialerd goes on by itself.")
    elif free < 3 * min_free_mb:
        found = f"{where} has {free} MB free; below {min_free_mb} MB nothing is accepted."
        yield warning("disk", found, "Make room in time.")
    elif state.f_files and state.f_favail < FEW_INODES:
        found = f"{where} has room for {state.f_favail} more files only (inodes)."
        yield warning("disk", found, "Remove small files that nobody needs.")
    else:
        yield ok("disk", f"{where} has {free} MB free.")


def socket(path: Path) -> Iterator[Finding]:
    """Who may connect to the Unix socket."""
    try:
        mode = path.stat().st_mode
    except OSError as trouble:
        yield warning("socket", f"{path} is gone: {trouble.strerror}.", "Restart dialerd, which makes it.")
        return
    if mode & stat.S_IWOTH:
        found = f"Every user of this machine may connect to {path}; roles decide what he may do."
        yield note("socket", found, 'Where that is too many: mode = "0660" and a group under [socket].')
    else:
        yield ok("socket", f"{path} has the mode {stat.S_IMODE(mode):04o}.")


def _cut(text: str) -> tuple[str, str]:
    """What is wrong, and its cure: the sentences behind the first, or else what stands behind a colon."""
    wrong, _, cure = text.partition(". ")
    if not cure:
        wrong, _, cure = text.rpartition(": ")
    return f"{wrong.rstrip('.')}.", cure[:1].upper() + cure[1:]


def _error(name: str, mistake: Mistake) -> Finding:
    wrong, cure = _cut(mistake.what) if ". " in mistake.what or ": " in mistake.what else (mistake.what, "")
    return error(name, f"{mistake.where}: {wrong}", cure)
