"""What must be right about the spool before the first call, tried out and not only looked at."""

import errno
import os
import pwd
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from dialerd.core.errors import Mistake
from dialerd.pbx.folders import OUR_MODE, OURS, Folder, Folders, remove_file, rename_into, verdict

_PROBE = ".probe"
_ACL = "system.posix_acl_access"


def asterisk_uid(user: str | None) -> int | None:
    """The uid of this user (a name or a uid), or None; where none is named, of `asterisk`, else our own."""
    if user and user.isdecimal():
        return int(user)
    try:
        return pwd.getpwnam(user or "asterisk").pw_uid
    except KeyError:
        return None if user else os.geteuid()


def mistakes(folders: Folders, user: str | None) -> Iterator[Mistake]:
    """Everything that is wrong, each with its cure. Makes our folders, and `outgoing_done` if it may."""
    uid = asterisk_uid(user)
    if uid is None:
        yield Mistake("asterisk.user", f"There is no user {user!r}. Name the user that Asterisk runs as.")
    if what := _no_folder(
        folders.spool, "Set it to Asterisk's astspooldir (asterisk -rx 'core show settings')."
    ):
        yield Mistake("asterisk.spool", what)
        return
    for what in _spool_mistakes(folders, uid):
        yield Mistake("asterisk.spool", what)
    if uid is not None:
        yield from _chown_mistakes(folders, uid)


def _spool_mistakes(folders: Folders, uid: int | None) -> Iterator[str]:
    ours = list(_make_ours(folders))
    yield from ours
    outgoing = folders.path(Folder.OUTGOING)
    missing = _no_folder(outgoing, "Start Asterisk with its module pbx_spool, which makes it.")
    if missing:
        yield missing
    else:
        yield from _asterisks(outgoing, uid)
    if not ours:
        yield from _renames(folders, with_outgoing=not missing)
    yield from _done_mistakes(folders, uid)


def _no_folder(path: Path, cure: str) -> str | None:
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return f"There is no folder {path}. {cure}"
    except OSError as error:
        return str(verdict(error, "look into", path.parent))
    return None if stat.S_ISDIR(mode) else f"{path} is not a folder. {cure}"


def _asterisks(path: Path, uid: int | None) -> Iterator[str]:
    """What is wrong with one of Asterisk's own folders, for us and for Asterisk."""
    state = path.stat()
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        yield f"{path} is on a file system that is mounted read-only. Mount it read-write."
        return
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK, effective_ids=True):
        yield str(verdict(PermissionError(errno.EACCES, ""), "read and write in", path))
    if state.st_mode & stat.S_ISVTX:
        yield f"{path} is sticky, so files could not be taken back. Run: chmod -t {path}"
    if uid is not None and not _may_write(path, state, uid):
        owner = _name(state.st_uid)
        yield (
            f"{path} belongs to {owner}, and {_name(uid)}, whom Asterisk is said to run as, may not write"
            " there, so calls would be repeated after a restart. Set user under [asterisk] to the right one,"
            " or chown the folder."
        )


def _may_write(path: Path, state: os.stat_result, uid: int) -> bool:
    """By the mode bits; an access list can't be judged from outside and is trusted."""
    if uid == 0 or _ACL in os.listxattr(path):
        return True
    if state.st_uid == uid:
        return state.st_mode & 0o300 == 0o300
    try:
        known = pwd.getpwuid(uid)
        groups = os.getgrouplist(known.pw_name, known.pw_gid)
    except KeyError:
        groups = []
    return state.st_mode & (0o030 if state.st_gid in groups else 0o003) in (0o030, 0o003)


def _make_ours(folders: Folders) -> Iterator[str]:
    """Makes our folders, for us alone. Their names must not be links: the spool is another user's."""
    for path in (
        folders.spool / OURS,
        *(folders.path(folder) for folder in Folder if folder.value[0] == OURS),
    ):
        try:
            path.mkdir(OUR_MODE, exist_ok=True)
            at = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileExistsError:
            yield f"{path} is not a folder. Move it away."
            return
        except OSError as error:
            yield _not_made(path, folders.spool / OURS, error)
            return
        try:
            state = os.fstat(at)
            if state.st_uid != os.geteuid():
                yield _anothers(path, folders.spool / OURS, state.st_uid)
                return
            if stat.S_IMODE(state.st_mode) != OUR_MODE:
                os.fchmod(at, OUR_MODE)
        finally:
            os.close(at)


def _not_made(path: Path, ours: Path, error: OSError) -> str:
    """Why one of our folders is not there, or closed to us, and what to do."""
    with suppress(OSError):
        state = path.lstat()
        if stat.S_ISDIR(state.st_mode) and state.st_uid != os.geteuid():
            return _anothers(path, ours, state.st_uid)
    reason = "it is a link" if error.errno in (errno.ELOOP, errno.ENOTDIR) else error.strerror
    cure = f"Run once as root: install -d -o {_name(os.geteuid()).removeprefix('uid ')} -m 0700 {ours}"
    return f"dialerd can't make its folder {path}: {reason}. {cure}"


def _anothers(path: Path, ours: Path, uid: int) -> str:
    """That a folder of ours belongs to somebody else, as after a dialerd that root started by hand."""
    me = _name(os.geteuid())
    cure = f"Run once as root: chown -R {me.removeprefix('uid ')} {ours}"
    return f"{path} belongs to {_name(uid)}, and dialerd runs as {me}. {cure}"


def _renames(folders: Folders, with_outgoing: bool) -> Iterator[str]:
    """Tries a rename that replaces nothing, among our folders; into `outgoing`, a rename of no file.

    Two mounts of one file system have the same device number, yet no rename goes from one to the other; the
    kernel says so (EXDEV) before it looks for the file.
    """
    try:
        with folders.opened(Folder.STAGING, Folder.TAKEN) as (staging, taken):
            remove_file(taken, _PROBE)
            _write_probe(staging)
            rename_into(staging, _PROBE, taken)
            remove_file(taken, _PROBE)
        if with_outgoing:
            with folders.opened(Folder.STAGING, Folder.OUTGOING) as (staging, outgoing):
                rename_into(staging, _PROBE, outgoing)
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno == errno.EXDEV:
            yield (
                f"{folders.path(Folder.OUTGOING)} and {folders.spool / OURS} are on different mounts, so"
                " no file can be renamed from one into the other. Put both on one file system without a mount"
                " of their own (under systemd: ReadWritePaths= of the whole spool)."
            )
        elif error.errno == errno.EINVAL:
            yield f"The file system of {folders.spool} can't rename without replacing. Use a local disk."
        else:
            yield str(verdict(error, "write to", folders.path(Folder.STAGING)))


def _write_probe(folder: int) -> None:
    remove_file(folder, _PROBE)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    at = os.open(_PROBE, flags, 0o600, dir_fd=folder)
    try:
        os.write(at, b"probe\n")
        os.fsync(at)
    finally:
        os.close(at)


def _chown_mistakes(folders: Folders, uid: int) -> Iterator[Mistake]:
    """Gives a file away, really: capabilities and user namespaces can't be judged otherwise."""
    if uid == os.geteuid():
        return
    try:
        with folders.opened(Folder.STAGING) as (staging,):
            _write_probe(staging)
            try:
                may = _gives_away(staging, uid)
            finally:
                remove_file(staging, _PROBE)
    except OSError:
        return  # the renames have told of it
    if not may:
        yield Mistake(
            "asterisk.user",
            f"dialerd runs as {_name(os.geteuid())} and may not give files to {_name(uid)}, whom Asterisk is"
            " said to run as. Give it CAP_CHOWN (systemd: AmbientCapabilities=CAP_CHOWN), or run it"
            f" as {_name(uid)} or root.",
        )


def _gives_away(folder: int, uid: int) -> bool:
    try:
        os.chown(_PROBE, uid, os.getegid(), dir_fd=folder, follow_symlinks=False)
    except PermissionError:
        return False
    return True


def _done_mistakes(folders: Folders, uid: int | None) -> Iterator[str]:
    """Debian ships no `outgoing_done`, and in one that Asterisk makes we could remove nothing."""
    done = folders.path(Folder.DONE)
    if not done.exists() and not done.is_symlink() and uid is not None:
        try:
            _make_done(done, uid)
        except OSError:
            return  # Asterisk makes it, with the first archived file
    if done.exists() or done.is_symlink():
        if what := _no_folder(done, "Move it away; Asterisk makes its folder itself."):
            yield what
        else:
            yield from _asterisks(done, uid)


def _make_done(done: Path, uid: int) -> None:
    done.mkdir(0o700)
    at = os.open(done, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fchmod(at, 0o770)
        os.fchown(at, uid, os.getegid())
    finally:
        os.close(at)


def _name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"
