"""The archive of a backup: a tar file (POSIX pax, https://pubs.opengroup.org/onlinepubs/9699919799/) in gzip,
so that any tar can look into it. Its manifest comes last."""

import os
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO, FileIO
from pathlib import Path
from typing import IO, BinaryIO

from dialerd.core.errors import Broken
from dialerd.keeping import manifest
from dialerd.keeping.manifest import Manifest, Member, Unfit
from dialerd.keeping.members import is_member

LEVEL = 1
"""A queue shrinks to a fifth at once, and little more with more effort."""

_GZIP = 31
"""The window's bits for a gzip header (zlib manual, deflateInit2)."""

_PIECE = 1 << 20
_LARGEST_MANIFEST = 1 << 26
_PLAIN = (tarfile.REGTYPE, tarfile.AREGTYPE)
_LONGEST_HEADER = 1 << 16
_NO_TAR = (OSError, ValueError, ArithmeticError, RecursionError)
_NOT_WHOLE = "The backup is not whole: it ends before its manifest, or was changed."


@dataclass(frozen=True, slots=True)
class Source:
    """A file to be packed, by the name that it gets."""

    name: str
    path: Path


def pack(sources: Iterable[Source], told: Callable[[list[Member]], Manifest]) -> Iterator[bytes]:
    """The archive, piece by piece. A file that has gone meanwhile is left out. Raises Broken."""
    packer = zlib.compressobj(LEVEL, zlib.DEFLATED, _GZIP)
    members: list[Member] = []
    for piece in _tar(sources, told, members):
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()


def _tar(
    sources: Iterable[Source], told: Callable[[list[Member]], Manifest], members: list[Member]
) -> Iterator[bytes]:
    for source in sources:
        try:
            file = open(os.open(source.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")  # noqa: PTH123, SIM115
        except FileNotFoundError:
            continue
        except OSError as error:
            raise Broken(f"{source.path} can't be read: {error.strerror}.") from error
        with file:
            about = os.fstat(file.fileno())
            digest = sha256()
            yield from _member(source.name, about.st_size, int(about.st_mtime), file, digest.update)
        members.append(Member(source.name, about.st_size, digest.hexdigest()))
    data = told(members).to_bytes()
    yield from _member(manifest.NAME, len(data), 0, BytesIO(data), lambda _piece: None)
    yield bytes(tarfile.RECORDSIZE)


def _member(
    name: str, size: int, mtime: int, file: BinaryIO, take: Callable[[bytes], object]
) -> Iterator[bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = size, mtime, 0o600
    yield info.tobuf(tarfile.PAX_FORMAT)
    left = size
    while left:
        piece = file.read(min(left, _PIECE))
        if not piece:
            raise Broken(f"{name} became shorter while it was read: make the backup again.")
        take(piece)
        left -= len(piece)
        yield piece
    yield bytes(-size % tarfile.BLOCKSIZE)


@dataclass
class _Seen:
    manifest: Manifest | None = None
    members: list[Member] = field(default_factory=list)


class _Header(tarfile.TarInfo):
    """A member's header. What belongs to it, such as a long name, is read into memory: it has a bound, since
    a megabyte of gzip can hold a gigabyte."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        """Where tarfile goes on with a header that it has read; its comments name this for subclasses. Raises
        Unfit, too."""
        if self.type not in _PLAIN and (self.type != tarfile.XHDTYPE or self.size > _LONGEST_HEADER):
            raise Unfit(f"This is no backup of dialerd: it has {self.name[:100]!r}.")
        read: tarfile.TarInfo = super()._proc_member(archive)  # type: ignore[misc]
        return read


def unpack(file: BinaryIO, folder: Path | None) -> Manifest:
    """Reads a backup, and writes its members to a folder (None: nowhere), synced. Raises Unfit for what is
    not whole, or not as its manifest says; Broken where the folder can't be written."""
    seen = _Seen()
    try:
        with tarfile.open(fileobj=file, mode="r|gz", tarinfo=_Header) as tar:
            for info in tar:
                _take(tar, info, folder, seen)
    except (tarfile.TarError, EOFError, zlib.error, *_NO_TAR) as error:
        raise Unfit(f"{_NOT_WHOLE} ({error})") from error
    if seen.manifest is None:
        raise Unfit(_NOT_WHOLE)
    if sorted(seen.members, key=_name) != sorted(seen.manifest.members, key=_name):
        raise Unfit("The backup has not what its manifest says: it was changed, or is damaged.")
    return seen.manifest


def _name(member: Member) -> str:
    return member.name


def _take(tar: tarfile.TarFile, info: tarfile.TarInfo, folder: Path | None, seen: _Seen) -> None:
    if seen.manifest is not None or info.type not in _PLAIN or info.sparse is not None:
        raise Unfit(f"This is no backup of dialerd: it has {info.name[:100]!r}.")
    content = tar.extractfile(info)
    assert content is not None
    if info.name == manifest.NAME:
        if info.size > _LARGEST_MANIFEST:
            raise Unfit("The backup's manifest is too large.")
        seen.manifest = manifest.read(content.read())
    elif is_member(info.name):
        digest = sha256()
        pieces = _pieces(content, digest.update)
        if folder is None:
            for _piece in pieces:
                pass
        else:
            _write(folder / info.name, info.mtime, pieces)
        seen.members.append(Member(info.name, info.size, digest.hexdigest()))
    else:
        raise Unfit(f"This is no backup of dialerd: it has {info.name[:100]!r}.")


def _pieces(content: IO[bytes], take: Callable[[bytes], object]) -> Iterator[bytes]:
    while piece := content.read(_PIECE):
        take(piece)
        yield piece


def _write(path: Path, mtime: float, pieces: Iterator[bytes]) -> None:
    try:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Broken(f"{path} can't be written: {error.strerror}.") from error
    # Without a buffer: on a full disk its end would fail once more, in the place of what is to be told.
    with os.fdopen(fd, "wb", buffering=0) as file:
        for piece in pieces:
            _put(file, piece, path)
        _put(file, b"", path)
    os.utime(path, (mtime, mtime))


def _put(file: FileIO, piece: bytes, path: Path) -> None:
    """Nothing (b"") brings all to the disk."""
    try:
        left = memoryview(piece)
        while left:
            left = left[file.write(left) :]
        if not piece:
            os.fsync(file.fileno())
    except OSError as error:
        raise Broken(f"{path} can't be written: {error.strerror}.") from error
