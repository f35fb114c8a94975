"""Runs a hook's command with nothing of the daemon's rights: python -I -S confine.py /path/to/command ARG...

The daemon may be allowed to give files away (CAP_CHOWN); a hook is not. It gets no capabilities, can't gain
any by set-user-id programs, and ends with the thread that waits for it. prctl(2), capabilities(7), capset(2);
the numbers are those of linux/prctl.h and linux/capability.h. Where any of this fails, nothing is run.
"""

import ctypes
import os
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_SETPCAP = 8

NOT_RUN = 126
"""The exit code of a command that could not be run, as of a shell."""


def _checked(answer: int, what: str) -> None:
    if answer != 0:
        raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")


def _effective() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def confine() -> None:
    """Gives all rights up. Raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    _checked(libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "PR_SET_PDEATHSIG")
    _checked(libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "PR_SET_NO_NEW_PRIVS")
    _checked(libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "PR_CAP_AMBIENT")
    if _effective() >> _CAP_SETPCAP & 1:  # only root has it, and only root would get rights back at exec
        last = int(Path("/proc/sys/kernel/cap_last_cap").read_text())
        for capability in range(last + 1):
            _checked(libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0), "PR_CAPBSET_DROP")
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _checked(libc.capset(header, (ctypes.c_uint32 * 6)()), "capset")


if __name__ == "__main__":
    try:
        confine()
        os.execv(sys.argv[1], sys.argv[1:])
    except OSError as error:
        print(f"{sys.argv[1]} can't be run: {error.strerror}", file=sys.stderr)
        sys.exit(NOT_RUN)
