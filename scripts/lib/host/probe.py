"""Runs on the host in dialerd's place, with all that its unit allows and forbids, and tries what it must not
be able to do. Prints a JSON object: what was tried and what came of it ("no" and the reason is what is hoped
for), every folder that it may write to, and what the kernel says of its rights.
"""

# The calls of the kernel are what is tried, so they stand here by their own names.
# ruff: noqa: PTH101, PTH108, PTH114, PTH116, PTH123, SIM115

import ctypes
import errno
import json
import mmap
import os
import signal
import socket
import sys
import time

libc = ctypes.CDLL(None, use_errno=True)
CLONE_NEWUSER, CLONE_NEWNS = 0x10000000, 0x00020000
PR_CAPBSET_READ = 23
PTRACE_SEIZE = 0x4206
REFUSALS = {errno.EPERM, errno.EACCES, errno.ENOSYS, errno.EAFNOSUPPORT, errno.ENOENT, errno.EROFS}
"""What the kernel says where something is forbidden or not there; anything else means that it would have been
done, had we asked rightly."""
SYSCALLS = {
    "x86_64": {
        "init_module": 175,
        "finit_module": 313,
        "bpf": 321,
        "add_key": 248,
        "kexec_load": 246,
        "ptrace": 101,
        "perf_event_open": 298,
        "clock_settime": 227,
        "adjtimex": 159,
        "swapon": 167,
        "reboot": 169,
        "open_by_handle_at": 304,
        "io_uring_setup": 425,
        "userfaultfd": 323,
    },
    "aarch64": {
        "init_module": 105,
        "finit_module": 273,
        "bpf": 280,
        "add_key": 217,
        "kexec_load": 104,
        "ptrace": 117,
        "perf_event_open": 241,
        "clock_settime": 112,
        "adjtimex": 171,
        "swapon": 224,
        "reboot": 142,
        "open_by_handle_at": 265,
        "io_uring_setup": 425,
        "userfaultfd": 282,
    },
}[os.uname().machine]


def refused(number):
    raise OSError(number, os.strerror(number))


def call(function, *arguments):
    """A call of libc; raises OSError where it says no."""
    if function(*arguments) == -1:
        refused(ctypes.get_errno())


def system_call(name, *arguments):
    call(libc.syscall, SYSCALLS[name], *arguments)


def attempt(act):
    """What becomes of `act` in a process of its own, which a filter may kill: "yes", or "no: why"."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            told = act()
            said = "yes" if told is None else f"yes: {told}"
        except OSError as error:
            said = f"{'no' if error.errno in REFUSALS else 'not refused'}: {error.strerror or error}"
        except RuntimeError as error:
            said = f"no: {error}"
        os.write(writer, said.encode())
        os._exit(0)
    os.close(writer)
    said = b""
    while chunk := os.read(reader, 4096):
        said += chunk
    os.close(reader)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return f"no: killed by {signal.Signals(os.WTERMSIG(status)).name}"
    return said.decode()


def write_and_execute():
    """Memory that may be written and run."""
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC).close()


def make_executable():
    """Memory that was written and is then made to run."""
    page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    call(libc.mprotect, ctypes.c_void_p(address), ctypes.c_size_t(4096), 5)


def raw():
    socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)


def packet():
    socket.socket(socket.AF_PACKET, socket.SOCK_RAW)


def odd_socket():
    socket.socket(socket.AF_VSOCK, socket.SOCK_STREAM)


def trace():
    """Another process of our own user."""
    system_call("ptrace", PTRACE_SEIZE, os.getppid(), 0, 0)


def set_clock():
    """To what it is, so that nothing happens where it may."""
    system_call("clock_settime", 0, (ctypes.c_long * 2)(int(time.time()), 0))


def see_others():
    """Processes of other users."""
    mine = os.getuid()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and os.stat(f"/proc/{name}").st_uid != mine:
            found.append(name)
    if not found:
        raise RuntimeError("no other user's process is in /proc")
    return f"processes {' '.join(found[:10])}"


def see_home():
    """What lies in home folders."""
    seen = []
    for folder in ("/home", "/home/clerk", "/root"):
        try:
            seen += [f"{folder}/{name}" for name in os.listdir(folder)]
        except OSError:
            continue
    if not seen:
        raise RuntimeError("there is nothing in /home or /root")
    return " ".join(seen)


def read_home():
    with open("/home/clerk/open-to-all", encoding="utf-8") as file:
        file.read()


def gain():
    """Becoming another by a program that is root's and setuid."""
    said = os.popen("/usr/local/bin/as-root -u 2>&1").read().strip()
    if said != "0":
        raise RuntimeError(f"it ran as {said or 'nobody at all'}")


def make_setuid():
    path = os.path.join(os.environ["STATE_DIRECTORY"].partition(":")[0], "probe-setuid")
    try:
        with open(path, "w", encoding="utf-8"):
            pass
        os.chmod(path, 0o4755)
    finally:
        os.unlink(path)


def device():
    os.close(os.open("/dev/mem", os.O_RDWR))


def kernel_log():
    os.close(os.open("/dev/kmsg", os.O_RDONLY))


def tune():
    with open("/proc/sys/kernel/printk", "w", encoding="utf-8") as file:
        file.write("1")


def group():
    own = [line.rstrip().partition("::")[2] for line in open("/proc/self/cgroup", encoding="utf-8")][-1]
    with open(f"/sys/fs/cgroup{own}/cgroup.procs", "w", encoding="utf-8") as file:
        file.write("0")


ACTS = {
    "read a file in a home folder": read_home,
    "see what is in home folders": see_home,
    "become root by a setuid program": gain,
    "make a setuid file": make_setuid,
    "become root by setuid()": lambda: os.setuid(0),
    "mount": lambda: call(libc.mount, b"none", b"/mnt", b"tmpfs", 0, None),
    "unmount /usr": lambda: call(libc.umount2, b"/usr", 2),
    "make a user namespace": lambda: call(libc.unshare, CLONE_NEWUSER),
    "make a mount namespace": lambda: call(libc.unshare, CLONE_NEWNS),
    "change the root folder": lambda: os.chroot("/var/lib"),
    "trace a process": trace,
    "load a kernel module": lambda: system_call("init_module", b"", 0, b""),
    "load a kernel module from a file": lambda: system_call("finit_module", 0, b"", 0),
    "load a BPF program": lambda: system_call("bpf", 5, None, 0),
    "watch performance events": lambda: system_call("perf_event_open", None, 0, -1, -1, 0),
    "put a key into the keyring": lambda: system_call("add_key", b"user", b"probe", b"x", 1, -3),
    "load another kernel": lambda: system_call("kexec_load", 0, 0, None, 0),
    "switch swap on": lambda: system_call("swapon", b"/dev/null", 0),
    "reboot": lambda: system_call("reboot", 0, 0, 0, None),
    "open a file by its handle": lambda: system_call("open_by_handle_at", -1, None, 0),
    "set the clock": set_clock,
    "set the host's name": lambda: socket.sethostname("probe"),
    "open a raw socket": raw,
    "open a packet socket": packet,
    "open a socket of an odd family": odd_socket,
    "see other users' processes": see_others,
    "map memory to write and run": write_and_execute,
    "make written memory run": make_executable,
    "open /dev/mem": device,
    "read the kernel's log": kernel_log,
    "change a kernel setting": tune,
    "move between control groups": group,
    "take real-time priority": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1)),
    "change its personality": lambda: call(libc.personality, 0x0400000),
}


def writable_folders():
    """Every folder that may be written to."""
    found = []
    for folder, names, _ in os.walk("/"):
        if folder in ("/proc", "/sys"):
            names.clear()
            continue
        names[:] = [name for name in names if not os.path.islink(os.path.join(folder, name))]
        if os.access(folder, os.W_OK):
            found.append(folder)
            if len(found) > 200:
                break
    return found


def main():
    """Tries it all."""
    own = dict(
        line.split(":\t", 1) for line in open("/proc/self/status", encoding="utf-8").read().splitlines()
    )
    told = {
        "tried": {what: attempt(act) for what, act in ACTS.items()},
        "writable": writable_folders(),
        "status": {
            name: own[name]
            for name in ("CapBnd", "CapEff", "CapAmb", "CapInh", "NoNewPrivs", "Seccomp", "Uid", "Groups")
        },
        "environment": sorted(os.environ),
    }
    print("PROBE " + json.dumps(told), flush=True)


if __name__ == "__main__":
    sys.exit(main())
