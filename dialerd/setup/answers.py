"""What setup is told, as the configuration that it makes of that, and every mistake in it."""

import ipaddress
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from dialerd.config import from_text
from dialerd.config.sections import Ami, Asterisk
from dialerd.core.errors import ConfigError, Mistake

SPOOL = Asterisk().spool.as_posix()
USER = "asterisk"
_AMI = Ami()
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_AMI_USER = re.compile(r"[A-Za-z0-9_-]{1,40}")
_UNIT_PATH = re.compile(r"/[A-Za-z0-9_.+@/-]*")

OPTIONS = {
    "asterisk.spool": "--spool",
    "asterisk.user": "--asterisk-user",
    "ami.host": "--ami-host",
    "ami.port": "--ami-port",
    "ami.username": "--ami-user",
    "calls.default_country": "--country",
    "calls.destinations": "--destinations",
    "calls.contexts": "--context",
    "trunks": "--trunk",
}
"""The options of setup, by what they become in the configuration."""


@dataclass(frozen=True, slots=True)
class Answers:
    """What setup was told. `service` is the systemd unit of Asterisk ("": there is none); `enable_ami`
    switches AMI on from the file that setup writes."""

    spool: str = SPOOL
    user: str = USER
    service: str = ""
    ami_host: str = _AMI.host
    ami_port: int = _AMI.port
    ami_user: str = _AMI.username
    country: str = ""
    destinations: tuple[str, ...] = ()
    contexts: tuple[str, ...] = ()
    trunks: tuple[tuple[str, str], ...] = ()
    enable_ami: bool = False


def known(text: str) -> dict[str, Any]:
    """What a configuration that is there says of the questions of setup: fields of Answers by their names.

    Nothing where it is no TOML, or a value is of another type: dialerd's own check tells of that.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}
    asterisk, ami, calls = (_table(raw, name) for name in ("asterisk", "ami", "calls"))
    trunks = {name: _table(_table(raw, "trunks"), name).get("channel") for name in _table(raw, "trunks")}
    found = {
        "spool": asterisk.get("spool"),
        "user": asterisk.get("user"),
        "service": asterisk.get("service"),
        "ami_host": ami.get("host"),
        "ami_port": ami.get("port"),
        "ami_user": ami.get("username"),
        "country": calls.get("default_country"),
        "destinations": _texts(calls.get("destinations")),
        "contexts": _texts(calls.get("contexts")),
        "trunks": tuple((name, each) for name, each in trunks.items() if isinstance(each, str)),
    }
    blank = Answers()
    return {
        name: each for name, each in found.items() if each and isinstance(each, type(getattr(blank, name)))
    }


def secret_file(text: str) -> str | None:
    """The file of AMI's secret that a configuration names; None where it leaves that to systemd."""
    try:
        named = _table(tomllib.loads(text), "ami").get("secret_file")
    except tomllib.TOMLDecodeError:
        return None
    return named if isinstance(named, str) else None


def toml(answers: Answers) -> str:
    """dialerd.toml: only what is not the default anyway."""
    tables: list[tuple[str, Mapping[str, object], str]] = [
        (
            "asterisk",
            {
                "spool": answers.spool if answers.spool != SPOOL else "",
                "user": answers.user if answers.user != USER else "",
                "service": answers.service,
            },
            _SAYS["asterisk"],
        ),
        (
            "ami",
            {
                "host": answers.ami_host if answers.ami_host != _AMI.host else "",
                "port": answers.ami_port if answers.ami_port != _AMI.port else "",
                "username": answers.ami_user if answers.ami_user != _AMI.username else "",
            },
            _SAYS["ami"],
        ),
        (
            "calls",
            {
                "default_country": answers.country,
                "destinations": list(answers.destinations),
                "contexts": list(answers.contexts),
            },
            _SAYS["calls"],
        ),
        *((f"trunks.{_key(name)}", {"channel": channel}, "") for name, channel in answers.trunks),
    ]
    return _HEAD + "".join(
        _section(*each) for each in tables if any(map(_given, each[1].values())) or each[0] == "ami"
    )


def mistakes(answers: Answers) -> Iterator[Mistake]:
    """Every mistake in the answers, by the options that they were given with."""
    told = [answers.spool, answers.user, answers.ami_host, answers.country]
    told += [*answers.destinations, *answers.contexts, *(each for trunk in answers.trunks for each in trunk)]
    if not all(each.isprintable() for each in told):
        yield Mistake(
            "", "An answer holds a control character, which no file of a configuration may: leave it out."
        )
        return
    yield from _twice([name for name, _ in answers.trunks])
    yield from _for_other_files(answers)
    try:
        from_text(toml(replace(answers, trunks=tuple(dict(answers.trunks).items()))), {})
    except ConfigError as error:
        for each in error.mistakes:
            if each.where != "ami.secret_file":
                yield Mistake(_option(each.where), each.what)


def _for_other_files(answers: Answers) -> Iterator[Mistake]:
    """What dialerd would take, but the files for Asterisk and systemd could not hold."""
    if not _UNIT_PATH.fullmatch(answers.spool) or ".." in Path(answers.spool).parts:
        what = "Write the whole path, with letters, digits and _ . + @ - only: it goes into systemd's files."
        yield Mistake("--spool", what)
    if not _AMI_USER.fullmatch(answers.ami_user) or answers.ami_user.lower() == "general":
        what = "A user of AMI has 1 to 40 letters, digits, _ and -, and is not called general."
        yield Mistake("--ami-user", what)
    if answers.ami_host != "localhost" and _address(answers.ami_host) is None:
        what = "Write the address that AMI listens on, such as 127.0.0.1: its file lets only that one in."
        yield Mistake("--ami-host", what)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def is_loopback(host: str) -> bool:
    """Whether this address or name is this machine's alone."""
    found = _address(host)
    return host == "localhost" if found is None else found.is_loopback


def _twice(names: list[str]) -> Iterator[Mistake]:
    for name in dict.fromkeys(each for each in names if names.count(each) > 1):
        yield Mistake(f"--trunk {name}", "Two trunks have this name: give each its own.")


def _option(where: str) -> str:
    """The option behind a place of the configuration."""
    head, _, rest = where.partition(".")
    if head == "trunks":
        return f"--trunk {rest.removesuffix('.channel')}"
    return OPTIONS.get(".".join(where.split(".")[:2]), where)


def _section(name: str, values: Mapping[str, object], says: str) -> str:
    written = [
        f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items() if _given(value)
    ]
    return "\n".join([f"\n[{name}]", *(f"# {each}" for each in says.splitlines()), *written, ""])


def _given(value: object) -> bool:
    """Whether it is to be written: "" and [] stand for what is the default anyway."""
    return value not in ("", [])


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else json.dumps(name, ensure_ascii=False)


def _table(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = raw.get(name)
    return found if isinstance(found, dict) else {}


def _texts(value: object) -> tuple[str, ...]:
    some = [value] if isinstance(value, str) else value if isinstance(value, list) else []
    return tuple(each for each in some if isinstance(each, str))


_HEAD = """\
# Only what is not the default stands here. /usr/share/doc/dialerd has a dialerd.toml with every option.
# After a change: systemctl reload dialerd. What has mistakes changes nothing; dialerctl status tells of them.
"""
_SAYS = {
    "asterisk": "service: while this unit is down, dialerd hands nothing over.",
    "ami": "The secret lies in /etc/dialerd/credentials/ami_secret, and systemd hands it over.",
    "calls": "destinations: the public numbers that may be called. contexts: where answered calls may go.",
}
