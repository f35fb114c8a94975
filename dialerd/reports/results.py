"""The results folder: one JSON file for each ended job, whole or not there at all."""

import grp
import json
import os
from contextlib import suppress
from typing import Any

from dialerd.core.reporting import Results

_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def write(results: Results, job_id: str, document: dict[str, Any]) -> None:
    """Writes JOB.json, synced to disk with its folder; one that is there is replaced. Raises OSError.

    It lies in a hidden file beside its place until it is whole.
    """
    data = json.dumps(document, ensure_ascii=False, indent=2).encode("utf-8", "replace") + b"\n"
    folder = os.open(results.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    half = f".{job_id}.json.tmp"
    try:
        with suppress(FileNotFoundError):
            os.unlink(half, dir_fd=folder)
        try:
            _write_half(folder, half, data, results)
            os.rename(half, f"{job_id}.json", src_dir_fd=folder, dst_dir_fd=folder)
        except OSError:
            with suppress(OSError):
                os.unlink(half, dir_fd=folder)
            raise
        os.fsync(folder)
    finally:
        os.close(folder)


def _write_half(folder: int, half: str, data: bytes, results: Results) -> None:
    descriptor = os.open(half, _FLAGS, 0o600, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        if results.group:
            os.fchown(descriptor, -1, _gid(results.group))
        os.fchmod(descriptor, results.mode)
        os.fsync(descriptor)


def _gid(group: str) -> int:
    if group.isdigit():
        return int(group)
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise OSError(0, f"there is no group {group!r}") from None
