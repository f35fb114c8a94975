"""The configuration: TOML in, frozen typed settings out, or every mistake at once. Where secrets are read.

docs/configuration.md is the user's view; etc/dialerd.toml holds every option with its default.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, Field, SecretStr, ValidationError

from dialerd.config.calls import Calls, RouteSettings, TrunkSettings
from dialerd.config.caps import CapsSection
from dialerd.config.crossing import cross_mistakes
from dialerd.config.dids import DidNumber, DidSettings, did_mistakes
from dialerd.config.fields import Name, Place, Section, as_tuple
from dialerd.config.hours import HoursSettings
from dialerd.config.listener import ListenerSection
from dialerd.config.lists import StopList, with_places
from dialerd.config.providers import (
    ProviderSettings,
    give_provider_secrets,
    provider_mistakes,
    read_provider_secrets,
)
from dialerd.config.reports import (
    HookSettings,
    ReportsSettings,
    ResultsSettings,
    SinkName,
    WebhookSettings,
    give_secrets,
    read_report_secrets,
    report_settings,
)
from dialerd.config.retry import RetrySettings
from dialerd.config.retry import names as retry_names
from dialerd.config.roles import RoleSettings, roles, roles_mistakes
from dialerd.config.sections import Ami, Asterisk, DropFolder, Log, Queue, Socket
from dialerd.core.destinations import Destinations
from dialerd.core.errors import ConfigError, Mistake
from dialerd.core.inbound import Did, ListenerSettings
from dialerd.core.policy import Rules
from dialerd.core.reporting import ReportSettings
from dialerd.core.roles import Roles
from dialerd.core.sentences import mistake_of
from dialerd.providers.settings import AccountSettings
from dialerd.secret import read_secret

DEFAULT_PATH = Path("/etc/dialerd/dialerd.toml")
AMI_CREDENTIAL = "ami_secret"
"""The name under which systemd hands over AMI's secret."""

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
    providers: dict[Name, ProviderSettings] = Field(default={})
    routes: Annotated[tuple[RouteSettings, ...], BeforeValidator(as_tuple)] = ()
    hours: dict[Name, HoursSettings] = Field(default={})
    retry: dict[Name, RetrySettings] = Field(default={})
    caps: CapsSection = CapsSection()
    stop_lists: dict[Name, StopList] = Field(default={})
    roles: dict[Name, RoleSettings] = Field(default={})
    reports: ReportsSettings = ReportsSettings()
    webhooks: dict[SinkName, WebhookSettings] = Field(default={})
    hooks: dict[SinkName, HookSettings] = Field(default={})
    results: ResultsSettings = ResultsSettings()
    listener: ListenerSection | None = None
    dids: dict[DidNumber, DidSettings] = Field(default={})

    def rules(self) -> Rules:
        """What core needs to know of calls and ways out. The stop lists are put in by whoever has them."""
        calls = self.calls
        return Rules(
            trunks={name: each.trunk(name) for name, each in self.trunks.items()},
            routes=tuple(each.route() for each in self.routes),
            default_trunk=calls.default_trunk,
            default_country=calls.default_country,
            destinations=Destinations.parse(calls.destinations),
            applications=calls.applications,
            functions=calls.functions,
            channels=calls.channels,
            contexts=calls.contexts,
            caller_ids=calls.caller_ids,
            ring_context=calls.ring_context,
            hours={name: each.hours(name) for name, each in self.hours.items()},
            default_hours=calls.hours,
            zone=calls.timezone,
            retry={name: each.policy(name) for name, each in self.retry.items()},
            default_retry=calls.retry,
            expire_after_s=calls.expire_after,
            urgent_from=calls.urgent_priority,
            report_urls=self.reports.allowed_urls,
            providers={name: each.provider(name) for name, each in self.providers.items()},
        )

    def provider_settings(self) -> tuple[AccountSettings, ...]:
        """What the accounts with providers need to know, with their secrets."""
        return tuple(each.account_settings(name) for name, each in self.providers.items())

    def listener_settings(self) -> ListenerSettings | None:
        """What the listener needs to know; None: there is none."""
        return None if self.listener is None else self.listener.settings()

    def did_actions(self) -> dict[str, Did]:
        """Our own numbers, and what is done with calls to them, by number."""
        return {number: each.did(number) for number, each in self.dids.items()}

    def roles_of(self) -> Roles:
        """Who may do what."""
        return Roles(roles(self.roles), frozenset({0, os.geteuid()}))

    def stop_list_files(self) -> tuple[dict[str, StopList], Path]:
        """The stop lists with their files, and the folder of those that name none."""
        return with_places(self.stop_lists, self.state_dir), self.state_dir / "stop-lists"

    def report_settings(self) -> ReportSettings:
        """What the reporter needs to know."""
        return report_settings(self.webhooks, self.hooks, self.results, self.reports)


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
        if path.is_fifo():
            raise _broken(f"{path} is a pipe, which may never end. Write the configuration into a file.")
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
    mistakes = [
        *cross_mistakes(raw),
        *roles_mistakes(raw),
        *provider_mistakes(raw),
        *did_mistakes(raw),
    ]
    secret = _ami_secret(raw.get("ami"), environ, mistakes)
    report_secrets = read_report_secrets(raw, environ, mistakes)
    provider_secrets = read_provider_secrets(raw, environ, mistakes)
    try:
        config = Config.model_validate(_with_places(raw, places))
    except ValidationError as error:
        found = [mistake_of(each, _names) for each in error.errors(include_url=False)]
        raise ConfigError(found + mistakes) from None
    if mistakes:
        raise ConfigError(mistakes)
    if config.ami is not None:
        config.ami._secret = SecretStr(secret)
    give_secrets(config.webhooks, config.reports, report_secrets)
    give_provider_secrets(config.providers, provider_secrets)
    return config


def _ami_secret(section: object, environ: Mapping[str, str], mistakes: list[Mistake]) -> str:
    """AMI's secret, or "" where there is no section [ami] or a mistake was found."""
    if not isinstance(section, dict):
        return ""
    secret = read_secret(section, "ami", AMI_CREDENTIAL, environ, mistakes)
    if secret is None:
        what = (
            "AMI needs a secret: name its file here, or hand it over as systemd's credential"
            f" {AMI_CREDENTIAL}."
        )
        if "CREDENTIALS_DIRECTORY" not in environ:
            what += (
                " Only dialerd.service gets credentials: systemctl start dialerd. systemctl status dialerd"
                " says whether it runs already. Only to look at the configuration: dialerd --check, as root."
            )
        mistakes.append(Mistake("ami.secret_file", what))
    return secret or ""


def _broken(what: str) -> ConfigError:
    return ConfigError([Mistake("", what)])


def _names(place: tuple[Any, ...]) -> tuple[str, ...]:
    """The names that may stand in a table, which is found along the types of its fields."""
    if place[:1] == ("retry",) and len(place) > 1:
        return retry_names(place)
    model: type[BaseModel] | None = Config
    for part in place:
        if model is None:
            break
        model = _model_in(model, part)
    return tuple(model.model_fields) if model is not None else ()


def _model_in(model: type[BaseModel], part: object) -> type[BaseModel] | None:
    """The section behind a field; itself for the name of one of several, such as trunks.NAME."""
    field = model.model_fields.get(str(part))
    if field is None:
        return model
    return next((each for each in _parts(field.annotation) if issubclass(each, BaseModel)), None)


def _parts(annotation: Any) -> Iterator[type]:
    """The classes in a type, whatever they stand in: dict[Name, Section], Section | None."""
    if isinstance(annotation, type) and not get_args(annotation):
        yield annotation
    for each in get_args(annotation):
        yield from _parts(each)


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
