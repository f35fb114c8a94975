"""What setup finds on a machine: where Asterisk is, as whom it runs, what its files say of AMI."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from dialerd.setup import conf
from dialerd.setup.answers import SPOOL, USER, Answers, is_loopback

_AS_USER = re.compile(r"^(?:User=|ExecStart=.*\s-U\s*)([A-Za-z_][\w.-]*)", re.MULTILINE)
_FREEPBX = "manager_custom.conf"
_LONGEST_PORT = 5


@dataclass(frozen=True, slots=True)
class Manager:
    """What manager.conf says, without the file that setup writes: `path`, and whether it is `included`.

    `general`: there is a section of that name. `by_us`: the file that is there switches AMI on.
    """

    path: str
    included: bool
    there: bool = False
    enabled: bool = False
    general: bool = False
    bindaddr: str | None = None
    port: str | None = None
    users: tuple[str, ...] = ()
    by_us: bool = False


@dataclass(frozen=True, slots=True)
class Dialplan:
    """The file that setup writes for the dialplan, whether it is included, and the contexts of the others."""

    path: str
    included: bool
    contexts: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ground:
    """What was found. `group` is that of Asterisk's user; `known` what the configuration says that is there;
    `endpoints` are those of pjsip.conf that look like trunks, else all of them."""

    etc: str
    manager: Manager
    dialplan: Dialplan
    spool: str = SPOOL
    user: str = USER
    service: str = ""
    country: str = ""
    endpoints: tuple[str, ...] = ()
    freepbx: bool = False
    known: Mapping[str, Any] = field(default_factory=dict)

    def defaults(self) -> dict[str, Any]:
        """The answers where nothing else is said: those of the configuration that is there, else what was
        found."""
        found: dict[str, Any] = {"spool": self.spool, "user": self.user, "service": self.service}
        port = self.manager.port or ""
        if port.isdecimal() and len(port) <= _LONGEST_PORT:
            found["ami_port"] = int(port)
        return found | {"enable_ami": self.manager.by_us} | dict(self.known)


def directories(etc: str, read: conf.Read) -> tuple[str | None, str | None]:
    """astspooldir and runuser, where asterisk.conf sets them. Debian's section [directories] is a template:
    what stands in it does not count."""
    among = conf.sections(f"{etc}/asterisk.conf", read)
    return conf.value(among, "directories", "astspooldir"), conf.value(among, "options", "runuser")


def user_in_unit(text: str) -> str | None:
    """The user that a unit of systemd runs Asterisk as."""
    found = _AS_USER.findall(text)
    return found[-1] if found else None


def manager(etc: str, read: conf.Read, apart: str) -> Manager:
    """What there is to know of AMI. Our file goes into manager.d where manager.conf includes that, unless one
    lies beside manager.conf already; `apart` is what that one is called."""
    main = f"{etc}/manager.conf"
    beside, below = f"{etc}/{apart}", f"{etc}/manager.d/dialerd.conf"
    includes = conf.patterns(main, read)
    in_folder = any(conf.covers(each, below, etc) for each in includes) and not read(beside)
    path = below if in_folder else beside
    ours = read(path)
    among = conf.sections(main, _without(read, path))
    names = [each.name for each in among if not each.template]
    return Manager(
        path=path,
        included=any(conf.covers(each, path, etc) for each in includes),
        there=bool(read(main)),
        enabled=conf.is_true(conf.value(among, "general", "enabled")),
        general="general" in names,
        bindaddr=conf.value(among, "general", "bindaddr"),
        port=conf.value(among, "general", "port"),
        users=tuple(name for name in dict.fromkeys(names) if name != "general"),
        by_us=any("\n[general]" in text for text in ours.values()),
    )


def dialplan(etc: str, read: conf.Read, called: str) -> Dialplan:
    """What there is to know of the dialplan's files; ours is `called` so."""
    main, path = f"{etc}/extensions.conf", f"{etc}/{called}"
    among = conf.sections(main, _without(read, path))
    return Dialplan(
        path,
        any(conf.covers(each, path, etc) for each in conf.patterns(main, read)),
        frozenset(each.name for each in among) - {"general", "globals"},
    )


def is_freepbx(etc: str, read: conf.Read) -> bool:
    """Whether FreePBX writes these files: its manager.conf includes one for what people add."""
    return any(
        conf.covers(each, f"{etc}/{_FREEPBX}", etc) for each in conf.patterns(f"{etc}/manager.conf", read)
    )


def endpoints(etc: str, read: conf.Read) -> tuple[str, ...]:
    """PJSIP's endpoints that log in elsewhere (outbound_auth), which trunks do; all, where none does."""
    among = conf.sections(f"{etc}/pjsip.conf", read)
    templates = {each.name: each for each in among if each.template}
    found, trunks = [], []
    for each in among:
        built_on = [templates[name] for name in each.options if name in templates]
        if each.template or "endpoint" not in (part.value("type") for part in (each, *built_on)):
            continue
        found.append(each.name)
        if any(part.value("outbound_auth") for part in (each, *built_on)):
            trunks.append(each.name)
    return tuple(trunks or found)


def country_of(zone: str, table: str) -> str:
    """The country of a time zone by zone.tab of the zone database; "" where it has none."""
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if len(row) > 2 and row[2] == zone), "")


def todo(answers: Answers, ground: Ground) -> Iterator[str]:
    """What a person should still do, since setup changes nobody else's files."""
    yield from _about_ami(answers, ground)
    if not ground.dialplan.included:
        name = ground.dialplan.path.rpartition("/")[2]
        where = "extensions_custom.conf" if ground.freepbx else "extensions.conf"
        yield (
            f"For jobs that ring several phones at once (ring: any), add this line at the end of"
            f" {ground.etc}/{where}: #tryinclude {name}"
        )
    if missing := [each for each in answers.contexts if _unknown(each, ground.dialplan.contexts)]:
        yield f"No file of the dialplan has the context {' or '.join(missing)}: write it, or calls end there."
    if not answers.trunks:
        hint = f" (PJSIP has {', '.join(ground.endpoints[:5])})" if ground.endpoints else ""
        yield f"There is no trunk, so no number can be called: give --trunk main=PJSIP/{{digits}}@NAME{hint}."
    elif not answers.destinations:
        yield "No public number may be called: say which, such as --destinations DE."


def _about_ami(answers: Answers, ground: Ground) -> Iterator[str]:
    ami, where = ground.manager, f"{ground.etc}/manager.conf"
    if not ami.there:
        yield f"There is no {where}, so AMI is off: make it, with enabled = yes under [general]."
    elif not ami.enabled and not answers.enable_ami:
        yield (
            f"AMI is off: under [general] in {where} set enabled = yes and bindaddr = 127.0.0.1, or run setup"
            " with --enable-ami, which does it from its own file."
        )
    if not ami.included:
        name = ami.path.removeprefix(f"{ground.etc}/")
        custom = f"{ground.etc}/{_FREEPBX}" if ground.freepbx else where
        yield f"Add this line at the end of {custom}: #tryinclude {name}"
    if ami.enabled and not is_loopback((ami.bindaddr or "0.0.0.0").strip("[]")):
        yield (
            f"AMI is clear text and listens on {ami.bindaddr or 'every address'}: set bindaddr = 127.0.0.1"
            f" under [general] in {where}, unless others need it."
        )
    if ami.port and ami.port != str(answers.ami_port):
        yield f"By {where} AMI's port is {ami.port}, and dialerd is told {answers.ami_port}: make them agree."


def _unknown(context: str, known: Iterable[str]) -> bool:
    return context not in known and not any(letter in context for letter in "*?[")


def _without(read: conf.Read, path: str) -> conf.Read:
    """What `read` reads, but for our own file."""
    return lambda wanted: {name: text for name, text in read(wanted).items() if name != path}
