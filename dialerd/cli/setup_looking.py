"""What `dialerctl setup` looks at first: Asterisk's files, unit and process, users, the time zone."""

import glob
import os
import pwd
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dialerd.core.errors import Mistake
from dialerd.setup import conf, ground, plan
from dialerd.setup.answers import USER, Answers, known
from dialerd.setup.ground import Ground

_UNITS = (
    *("etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system"),
    *("usr/lib/systemd/system", "lib/systemd/system", "run/systemd/generator.late"),
)
"""Where units lie (systemd.unit(5)); the last holds those that are made of init scripts."""
_UNIT = "asterisk.service"
_LONGEST_UID = 10
_NO_FOLDER = -1
_LARGEST = 4 * 1024 * 1024
_BINARIES = ("usr/sbin/asterisk", "usr/local/sbin/asterisk", "opt/asterisk/sbin/asterisk")


@dataclass(frozen=True, slots=True)
class Account:
    """A user of the machine that is set up."""

    name: str
    uid: int
    gid: int


class Machine:
    """The machine that is set up: `/`, or a folder that holds one. Paths are as they are called on it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unread: list[str] = []

    @property
    def live(self) -> bool:
        """Whether it is the one that we run on."""
        return self.root == Path("/")

    def at(self, path: str) -> Path:
        """Where we find it."""
        return self.root / path.lstrip("/")

    def text(self, path: str) -> str | None:
        """What is in a file; None where there is none. What we may not read is remembered."""
        try:
            where = self.at(path)
            # Asterisk's user may put there what hangs or acts when it is opened: a pipe, a link to a device.
            if not stat.S_ISREG(where.stat().st_mode):
                return None
            with os.fdopen(os.open(where, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
                return file.read(_LARGEST).decode(errors="surrogateescape")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return None
        except OSError:
            self.unread.append(path)
            return None

    def reader(self, etc: str) -> conf.Read:
        """Reads files of Asterisk's, named from its folder on; a pattern stands for several."""

        def read(wanted: str) -> dict[str, str]:
            below = os.path.join(etc, wanted).lstrip("/")
            if set(below.rpartition("/")[0]) & set("*?["):  # it could mean every file of the machine
                return {}
            paths = [f"/{each}" for each in sorted(glob.glob(below, root_dir=self.root))]  # noqa: PTH207
            texts = {each: self.text(each) for each in paths}
            return {each: text for each, text in texts.items() if text is not None}

        return read

    def account(self, name: str) -> Account | None:
        """A user by name or number; None where there is none."""
        for line in (self.text("/etc/passwd") or "").splitlines():
            fields = line.split(":")
            if len(fields) > 3 and name in (fields[0], fields[2]) and fields[3].isdecimal():
                return Account(fields[0], int(fields[2]), int(fields[3]))
        return self._of_system(name) if self.live else None

    def _of_system(self, name: str) -> Account | None:
        """One that stands elsewhere than in /etc/passwd (nsswitch.conf(5))."""
        try:
            number = int(name) if name.isdecimal() and len(name) <= _LONGEST_UID else None
            found = pwd.getpwnam(name) if number is None else pwd.getpwuid(number)
        except (KeyError, OverflowError, ValueError):
            return None
        return Account(found.pw_name, found.pw_uid, found.pw_gid)

    def group(self, gid: int) -> str:
        """A group's name, else its number."""
        for line in (self.text("/etc/group") or "").splitlines():
            fields = line.split(":")
            if len(fields) > 2 and fields[2] == str(gid):
                return fields[0]
        return str(gid)

    def gid(self, name: str) -> int | None:
        """The number of a group."""
        for line in (self.text("/etc/group") or "").splitlines():
            fields = line.split(":")
            if len(fields) > 2 and name in (fields[0], fields[2]) and fields[2].isdecimal():
                return int(fields[2])
        return None

    def binary(self) -> str:
        """Asterisk's program."""
        return next((f"/{each}" for each in _BINARIES if self.at(each).exists()), "asterisk")


def look(machine: Machine, etc: str, config: str) -> Ground:
    """What there is to find."""
    read = machine.reader(etc)
    spool, user = ground.directories(etc, read)
    units = [text for folder in _UNITS if (text := machine.text(f"/{folder}/{_UNIT}")) is not None]
    for each in (user, *map(ground.user_in_unit, units), _running(machine)):
        user = user or each
    found = {"spool": spool, "user": user or _usual_user(machine)}
    return Ground(
        etc=etc,
        manager=ground.manager(etc, read, plan.MANAGER),
        dialplan=ground.dialplan(etc, read, plan.DIALPLAN),
        service=_UNIT if units else "",
        country=_country(machine),
        endpoints=ground.endpoints(etc, read),
        freepbx=ground.is_freepbx(etc, read),
        known=known(machine.text(f"{config}/{plan.CONFIG}") or ""),
        **{name: value for name, value in found.items() if value},
    )


def mistakes(machine: Machine, etc: str, answers: Answers) -> Iterator[Mistake]:
    """What is not there, but must be."""
    if not machine.root.is_dir():
        yield Mistake("--root", f"There is no folder {machine.root}.")
        return
    if not machine.at(etc).is_dir():
        what = f"There is no folder {etc}: install Asterisk, or name the folder that holds its manager.conf."
        yield Mistake("--asterisk-etc", what)
    if not machine.at(answers.spool).is_dir():
        how = "name Asterisk's astspooldir (asterisk -rx 'core show settings')"
        what = f"There is no folder {answers.spool}: {how}."
        yield Mistake("--spool", what)
    elif os.geteuid() == 0:
        yield from _about_spool(machine, answers)
    if machine.account(answers.user) is None:
        yield Mistake(
            "--asterisk-user", f"There is no user {answers.user!r}: name the one that Asterisk runs as."
        )
    if machine.account(plan.OWN_USER) is None or machine.gid(plan.OWN_USER) is None:
        what = f"There is no user and group {plan.OWN_USER}: the package makes them (systemd-sysusers)."
        yield Mistake("", what)


def _about_spool(machine: Machine, answers: Answers) -> Iterator[Mistake]:
    """That it is no spool, but a folder of the system's. What Asterisk's user writes into asterisk.conf must
    not have root open /etc to dialerd."""
    user, own = machine.account(answers.user), machine.account(plan.OWN_USER)
    spool, outgoing = (_owner(machine.at(f"{answers.spool}/{name}")) for name in ("", "outgoing"))
    if user is not None and not _fits(user.uid, spool, outgoing):
        what = f"{answers.spool}/outgoing is no folder of {answers.user}'s"
        yield Mistake("--spool", f"{what}: name the spool and the user of Asterisk.")
    if own is not None and _owner(machine.at(f"{answers.spool}/dialerd")) not in (None, own.uid):
        what = f"{answers.spool}/dialerd is there, and is not dialerd's"
        yield Mistake("--spool", f"{what}: name Asterisk's spool, or move that away.")


def _fits(user: int, spool: int | None, outgoing: int | None) -> bool:
    """Whether folders of these owners can be the spool of an Asterisk that runs as this user. Root writes
    everywhere, so for it `outgoing` must be there."""
    if outgoing is None:
        return user != 0 and spool == user
    return outgoing == user or (user == 0 and outgoing != _NO_FOLDER)


def _owner(path: Path) -> int | None:
    """Whose folder this is, _NO_FOLDER where it is none; None where nothing is there."""
    try:
        about = path.lstat()
    except FileNotFoundError:
        return None
    return about.st_uid if stat.S_ISDIR(about.st_mode) else _NO_FOLDER


def _usual_user(machine: Machine) -> str | None:
    return USER if machine.account(USER) is not None else None


def _running(machine: Machine) -> str | None:
    """The user of the Asterisk that runs."""
    if not machine.live:
        return None
    for path in Path("/proc").glob("[0-9]*/comm"):
        try:
            if path.read_text().strip() == "asterisk":
                return pwd.getpwuid(path.stat().st_uid).pw_name
        except (OSError, KeyError):
            continue
    return None


def _country(machine: Machine) -> str:
    """The country of the machine's time zone; "" where that tells none, as UTC does."""
    try:
        zone = re.sub(r".*/zoneinfo/", "", str(machine.at("/etc/localtime").readlink()))
    except OSError:
        zone = (machine.text("/etc/timezone") or "").strip()
    return ground.country_of(zone, machine.text("/usr/share/zoneinfo/zone.tab") or "")
