"""The configuration: TOML in, frozen typed settings out, or every mistake at once. Where secrets are read.

docs/configuration.md is the user's view; etc/dialerd.toml holds every option with its default.
"""

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    SecretStr,
    ValidationError,
    model_validator,
)

from dialerd.core import texts
from dialerd.core.errors import ConfigError, Mistake
from dialerd.core.numbers import countries
from dialerd.core.policy import Rules, Trunk
from dialerd.core.routing import extension_pattern, template_mistakes
from dialerd.core.sentences import mistake_of
from dialerd.core.times import parse_duration
from dialerd.secret import read_secret

DEFAULT_PATH = Path("/etc/dialerd/dialerd.toml")
LONGEST_SOCKET_PATH = 107
"""Bytes; the kernel's sockaddr_un has 108 with the closing NUL."""

_LARGEST_FILE = 1024 * 1024


def _path(value: object) -> object:
    if not isinstance(value, str):
        return value
    texts.without_controls(value)
    if not value.startswith("/"):
        raise ValueError("Write the whole path, from / on.")
    return Path(value)


def _socket_path(path: Path) -> Path:
    if len(os.fsencode(path)) > LONGEST_SOCKET_PATH:
        raise ValueError(
            f"The path of a socket has at most {LONGEST_SOCKET_PATH} bytes: choose a shorter one."
        )
    return path


def _mode(value: object) -> object:
    if not isinstance(value, str) or not re.fullmatch("0?[0-7]{3}", value):
        raise ValueError('Write the mode as octal digits in quotes, such as "0660".')
    return int(value, 8)


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError('Write the duration with its unit and in quotes, such as "4h".')
    seconds = parse_duration(value)
    if not 60 <= seconds <= 7 * 86400:
        raise ValueError("It lies between 1m and 7d.")
    return seconds


def _as_tuple(value: object) -> object:
    if isinstance(value, str):
        return (value,)
    return tuple(value) if isinstance(value, list) else value


def _extensions(patterns: tuple[str, ...]) -> tuple[str, ...]:
    extension_pattern(patterns)
    return patterns


def _country(text: str) -> str:
    if text not in countries():
        hint = texts.nearest(text.upper(), countries())
        raise ValueError(f"{text!r} is no country: give two capital letters of ISO 3166, such as DE.{hint}")
    return text


def _word(text: str, pattern: str, otherwise: str) -> str:
    if not re.fullmatch(pattern, text):
        raise ValueError(otherwise)
    return text


def _account(text: str) -> str:
    otherwise = "This is no user or group: write its name as in /etc/passwd or /etc/group, or its number."
    return _word(text, r"(?:[A-Za-z_][A-Za-z0-9_.\-]{0,31}\$?|[0-9]{1,10})?", otherwise)


_Place = Annotated[Path, BeforeValidator(_path)]
_Pattern = Annotated[str, AfterValidator(partial(texts.bounded, most=200))]
_Patterns = Annotated[tuple[_Pattern, ...], BeforeValidator(_as_tuple)]
_Account = Annotated[str, AfterValidator(_account)]
_TrunkName = Annotated[
    str,
    AfterValidator(
        partial(
            _word,
            pattern=r"[A-Za-z0-9_\-]{1,40}",
            otherwise="A trunk's name has 1 to 40 letters, digits, _ and -",
        )
    ),
]
_Context = Annotated[
    str,
    AfterValidator(
        partial(
            _word,
            pattern=r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,78}",
            otherwise="A context has letters, digits and _ . -",
        )
    ),
]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Log(_Section):
    """What is logged, and how: JSON where no person reads along (auto), else text."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class Socket(_Section):
    """The Unix socket that takes jobs. `group` may use it ("": nobody but the daemon's own group)."""

    path: Annotated[_Place, AfterValidator(_socket_path)]
    mode: Annotated[int, BeforeValidator(_mode)] = 0o660
    group: _Account = ""


class Queue(_Section):
    """The bounds at which jobs are refused."""

    max_jobs: Annotated[int, Field(ge=1, le=100_000_000)] = 2_000_000
    min_free_mb: Annotated[int, Field(ge=1, le=1_000_000)] = 200


class DropFolder(_Section):
    """The folder that takes job files: it holds drop/, claimed/ and rejected/."""

    path: _Place
    enabled: bool = True


class Asterisk(_Section):
    """Asterisk's spool, and what it may be given at once.

    `user` owns the call files ("": asterisk where there is one, else our own user); `longest_call` is in
    seconds.
    """

    spool: _Place = Path("/var/spool/asterisk")
    user: _Account = ""
    longest_call: Annotated[int, BeforeValidator(_seconds)] = 4 * 3600
    max_calls: Annotated[int, Field(ge=1, le=20_000)] = 200


class Ami(_Section):
    """How to reach AMI. The secret is read from `secret_file`, or else from systemd's credential."""

    host: Annotated[str, AfterValidator(partial(texts.bounded, most=253))] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 5038
    username: Annotated[str, AfterValidator(partial(texts.bounded, most=79))] = "dialerd"
    secret_file: _Place | None = None
    _secret: SecretStr = PrivateAttr(default=SecretStr(""))

    @property
    def secret(self) -> str:
        """The password in clear. Hand it to AMI's login and to nothing else."""
        return self._secret.get_secret_value()


class Calls(_Section):
    """What submitters may ask of Asterisk. The lists hold shell patterns (`*`, `?`)."""

    default_country: Annotated[str, AfterValidator(_country)] | None = None
    default_trunk: str | None = None
    applications: _Patterns = ("Playback",)
    functions: _Patterns = ()
    channels: _Patterns = ()
    contexts: _Patterns = ()
    ring_context: _Context = "dialerd-ring"


class TrunkSettings(_Section):
    """One way out through Asterisk."""

    channel: Annotated[str, AfterValidator(partial(texts.bounded, most=400))]
    extensions: Annotated[_Patterns, AfterValidator(_extensions)] = ()

    @model_validator(mode="after")
    def _fits(self) -> "TrunkSettings":
        if mistakes := list(template_mistakes(self.channel, bool(self.extensions))):
            raise ValueError(" ".join(mistakes))
        return self


class Config(_Section):
    """All settings. Parts are handed theirs, never the whole."""

    state_dir: _Place
    log: Log = Log()
    socket: Socket
    queue: Queue = Queue()
    drop_folder: DropFolder
    asterisk: Asterisk = Asterisk()
    ami: Ami | None = None
    calls: Calls = Calls()
    trunks: dict[_TrunkName, TrunkSettings] = {}

    def rules(self) -> Rules:
        """What core needs to know of calls and trunks."""
        calls = self.calls
        return Rules(
            trunks={
                name: Trunk(
                    name, each.channel, extension_pattern(each.extensions) if each.extensions else None
                )
                for name, each in self.trunks.items()
            },
            default_trunk=calls.default_trunk,
            default_country=calls.default_country,
            applications=calls.applications,
            functions=calls.functions,
            channels=calls.channels,
            contexts=calls.contexts,
            ring_context=calls.ring_context,
        )


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Config:
    """The settings in `path`; without it those in /etc/dialerd/dialerd.toml, or the defaults if that does not
    exist.

    Raises ConfigError with every mistake.
    """
    environ = os.environ if environ is None else environ
    if path is None and not DEFAULT_PATH.exists():
        return from_text("", environ)
    path = path or DEFAULT_PATH
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
        if len(data) > _LARGEST_FILE:
            raise _broken(f"{path} is larger than {_LARGEST_FILE} bytes: this can't be a configuration.")
        return from_text(data.decode("utf-8-sig"), environ)
    except OSError as error:
        raise _broken(f"{path} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise _broken(f"{path}, line {line} is not UTF-8: save it as UTF-8.") from None


def from_text(text: str, environ: Mapping[str, str]) -> Config:
    """The settings in a TOML text. Raises ConfigError with every mistake."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _broken(f"This is not TOML: {error}.") from None
    except RecursionError:
        raise _broken("This is nested too deep for a configuration.") from None
    places = default_places(environ, system=os.geteuid() == 0 or Path("/var/lib/dialerd").is_dir())
    mistakes = list(_cross_mistakes(raw))
    try:
        config = Config.model_validate(_with_places(raw, places))
    except ValidationError as error:
        mistakes = [mistake_of(each, _names) for each in error.errors(include_url=False)] + mistakes
        read_secret(raw.get("ami"), environ, mistakes)
        raise ConfigError(mistakes) from None
    secret = read_secret(raw.get("ami"), environ, mistakes)
    if mistakes:
        raise ConfigError(mistakes)
    if config.ami is not None:
        config.ami._secret = SecretStr(secret)
    return config


def _broken(what: str) -> ConfigError:
    return ConfigError([Mistake("", what)])


def _names(place: tuple[Any, ...]) -> tuple[str, ...]:
    if not place:
        return tuple(Config.model_fields)
    sections: dict[str, type[BaseModel]] = {
        "log": Log,
        "socket": Socket,
        "queue": Queue,
        "drop_folder": DropFolder,
        "asterisk": Asterisk,
        "ami": Ami,
        "calls": Calls,
        "trunks": TrunkSettings,
    }
    return tuple(sections[place[0]].model_fields) if place[0] in sections else ()


def default_places(environ: Mapping[str, str], system: bool) -> tuple[str, str, str]:
    """The default state folder, socket and drop folder: systemd's, the system's, or else the user's own
    (XDG)."""
    state, _, _ = environ.get("STATE_DIRECTORY", "").partition(":")
    runtime, _, _ = environ.get("RUNTIME_DIRECTORY", "").partition(":")
    if system or state:
        return state or "/var/lib/dialerd", f"{runtime or '/run/dialerd'}/dialerd.sock", "/var/spool/dialerd"
    home = environ.get("XDG_STATE_HOME") or str(Path(environ.get("HOME") or Path.home()) / ".local/state")
    if not runtime:
        base = environ.get("XDG_RUNTIME_DIR")
        runtime = f"{base}/dialerd" if base else f"{home}/dialerd"
    return f"{home}/dialerd", f"{runtime}/dialerd.sock", f"{home}/dialerd/spool"


def _with_places(raw: dict[str, Any], places: tuple[str, str, str]) -> dict[str, Any]:
    state, socket, drop = places
    filled = {"state_dir": state, **raw}
    for name, path in (("socket", socket), ("drop_folder", drop)):
        section = raw.get(name, {})
        filled[name] = {"path": path, **section} if isinstance(section, dict) else section
    return filled


def _cross_mistakes(raw: Mapping[str, Any]) -> Iterator[Mistake]:
    calls, trunks = raw.get("calls", {}), raw.get("trunks", {})
    wanted = calls.get("default_trunk") if isinstance(calls, dict) else None
    if isinstance(wanted, str) and isinstance(trunks, dict) and wanted not in trunks:
        there = f"only {', '.join(trunks)}" if trunks else "none at all"
        hint = texts.nearest(wanted, trunks)
        yield Mistake("calls.default_trunk", f"There is no [trunks.{wanted}], {there}.{hint}")
