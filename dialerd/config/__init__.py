"""The configuration: TOML in, frozen typed settings out, or every mistake at once. Where secrets are read.

docs/configuration.md is the user's view; etc/dialerd.toml holds every option with its default.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, Field, SecretStr, ValidationError

from dialerd.config.calls import Calls, TrunkSettings
from dialerd.config.fields import Name, Place, Section
from dialerd.config.sections import Ami, Asterisk, DropFolder, Log, Queue, Socket
from dialerd.core import texts
from dialerd.core.errors import ConfigError, Mistake
from dialerd.core.policy import Rules, Trunk
from dialerd.core.routing import extension_pattern
from dialerd.core.sentences import mistake_of
from dialerd.secret import read_secret

DEFAULT_PATH = Path("/etc/dialerd/dialerd.toml")
_LARGEST_FILE = 1024 * 1024


class Config(Section):
    """All settings. Parts are handed theirs, never the whole."""

    state_dir: Place
    log: Log = Log()
    socket: Socket
    queue: Queue = Queue()
    drop_folder: DropFolder
    asterisk: Asterisk = Asterisk()
    ami: Ami | None = None
    calls: Calls = Calls()
    trunks: dict[Name, TrunkSettings] = Field(default={})

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
