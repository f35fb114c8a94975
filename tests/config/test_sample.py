"""The commented sample configuration and the manual of all options."""

import re
import tomllib
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from dialerd.config import Config, from_text
from dialerd.config.hours import HoursSettings
from dialerd.config.listener import ListenerSection
from dialerd.config.providers import ProviderSettings
from dialerd.config.reports import HookSettings, WebhookSettings
from dialerd.core.policy import Caps
from dialerd.core.retry import RetryPolicy
from dialerd.providers.registry import TYPES
from tests.configuring import SYSTEM, credentials_in

PROJECT = Path(__file__).parents[2]
SAMPLE = PROJECT / "etc/dialerd.toml"


def test_the_sample_as_it_is_changes_nothing() -> None:
    assert from_text(SAMPLE.read_text(), SYSTEM) == from_text("", SYSTEM)


def test_the_sample_names_every_option_with_its_default(tmp_path: Path) -> None:
    credentials = credentials_in(tmp_path)
    text = re.sub(r"^#(?=[\[a-z])", "", SAMPLE.read_text(), flags=re.MULTILINE)

    config = from_text(text, credentials)

    assert config == from_text("[ami]", credentials)
    assert [each for each in options_of(Config, [tomllib.loads(everything())]) if not each.tables] == []


def test_the_samples_examples_are_right(tmp_path: Path) -> None:
    config = from_text(with_files(everything(), tmp_path), SYSTEM)

    rules = config.rules()
    assert rules.default_country == "DE"
    assert list(rules.trunks) == ["provider", "internal"]
    assert config.ami is not None
    assert config.ami.secret == "s3cret"
    provider = rules.trunks["provider"]
    assert (provider.calls_per_second, provider.max_channels) == (10, 30)
    assert (provider.reserved_rate, provider.reserved_channels) == (2, 4)
    assert (provider.caps.calls_per_day, provider.caps.spend_per_day) == (5000, 2_000_000)
    assert [(route.kinds, route.tags, route.trunks) for route in rules.routes] == [
        (("sms",), ("otp",), ("exo", "xox")),
        (("call",), (), ("provider", "exo")),
    ]
    exo = config.provider_settings()[0]
    assert (exo.name, exo.provider.TYPE, exo.provider.secret.value) == ("exo", "exotel", "s3cret")
    assert exo.proxy == "http://me:pw@proxy.example.com:3128"
    assert list(rules.providers) == ["exo", "xox", "hoi"]
    listener = config.listener_settings()
    assert listener is not None
    assert list(listener.sources) == ["exo"]
    assert [did.provider for did in config.did_actions().values()] == [None, "xox", "hoi"]
    assert (list(rules.hours), list(rules.retry)) == (["office"], ["patient"])
    assert (rules.default_hours, rules.default_retry) == ("office", "patient")
    assert config.caps.budget().owner == Caps(1000, 3000, 20, 500_000)
    assert list(config.stop_lists) == ["customers"]
    assert [role.name for role in config.roles_of().roles] == ["operators"]
    sinks = config.report_settings()
    assert [sink.name for sink in sinks.webhooks] == ["crm"]
    assert [sink.name for sink in sinks.hooks] == ["pager"]
    assert sinks.results is not None


def test_the_defaults_that_the_sample_tells_of_its_examples_are_true(tmp_path: Path) -> None:
    """Those options of trunks, roles and sinks whose example in the sample is what they have if left out."""
    written = from_text(with_files(everything(), tmp_path), SYSTEM)

    hours, patient = written.hours["office"], written.retry["patient"].policy("")
    usual = RetryPolicy("")
    webhook, hook = written.webhooks["crm"], written.hooks["pager"]
    assert hours.zone == HoursSettings.model_fields["zone"].default
    assert replace(patient, noanswer=usual.noanswer) == usual
    names = ("events", "allow_private", "timeout", "give_up_after")
    assert tuple(getattr(webhook, name) for name in names) == defaults_of(WebhookSettings, *names)
    assert (hook.timeout, hook.give_up_after) == defaults_of(HookSettings, "timeout", "give_up_after")
    account, listener = written.providers["exo"], written.listener
    names = ("connections", "connect_timeout", "timeout", "plain_http")
    assert tuple(getattr(account, name) for name in names) == defaults_of(ProviderSettings, *names)
    assert listener is not None
    names = ("allow_any", "mode", "max_body")
    assert tuple(getattr(listener, name) for name in names) == defaults_of(ListenerSection, *names)


def test_the_manual_tells_of_every_option() -> None:
    manual = (PROJECT / "docs/configuration.md").read_text()
    _, *parts = re.split("^## ", manual, flags=re.MULTILINE)

    missing = [each for each in options_of(Config, [{}]) if not is_told(each, manual, parts)]

    assert missing == []


@pytest.mark.parametrize("type", TYPES)
def test_the_manual_tells_of_every_option_of_a_type_of_provider(type: str) -> None:
    manual = (PROJECT / "docs/configuration.md").read_text()

    own = TYPES[type].OPTIONS.keys() - ProviderSettings.model_fields
    missing = [name for name in own if f"| {type} | `{name}` |" not in manual]

    assert missing == []


@dataclass(frozen=True)
class Option:
    """An option: the sections that it stands in, its name, and those of the tables looked at that have it."""

    sections: tuple[str, ...]
    name: str
    tables: tuple[dict[str, Any], ...]


def options_of(
    model: type[BaseModel], tables: Sequence[dict[str, Any]], sections: tuple[str, ...] = ()
) -> Iterator[Option]:
    """Every option of a model and of the sections in it, with those of the TOML tables that name it."""
    for name, field in model.model_fields.items():
        naming = tuple(table for table in tables if name in table)
        inner = section_in(field.annotation)
        yield Option(sections, name, naming)
        if inner is not None:
            found = [table[name] for table in naming]
            if get_origin(field.annotation) is dict:
                found = [each for several in found for each in several.values()]
            elif get_origin(field.annotation) is tuple:
                found = [each for several in found for each in several]
            yield from options_of(inner, found, (*sections, name))


def section_in(annotation: Any) -> type[BaseModel] | None:
    """The section that a field holds one or several of."""
    if isinstance(annotation, type) and not get_args(annotation):
        return annotation if issubclass(annotation, BaseModel) else None
    return next((found for each in get_args(annotation) if (found := section_in(each))), None)


def is_told(option: Option, manual: str, parts: list[str]) -> bool:
    """Whether a table of the manual has the option: in the part that is headed by its section, or with the
    section before it."""
    if not option.sections:
        return f"`{option.name}` |" in manual or bool(headed(option.name, parts))
    if f"| `[{option.sections[0]}]` `{option.name}` |" in manual:
        return True
    about = [part for section in option.sections for part in headed(section, parts)]
    return any(f"| `{option.name}` |" in part for part in about)


def headed(section: str, parts: list[str]) -> list[str]:
    """The parts of the manual about a section."""
    return [part for part in parts if re.match(rf"`\[+{section}[.\]]", part)] or [
        part for part in parts if f"| `[{section}]` " in part
    ]


def everything() -> str:
    """The sample with nothing commented out but its sentences."""
    written = r"^# ?(?=(\[+[a-z_.\-]+(\.\"[+0-9]+\")?\]+|[a-z_]+ =.*)$)"
    return re.sub(written, "", SAMPLE.read_text(), flags=re.MULTILINE)


def with_files(text: str, folder: Path) -> str:
    """The sample on this machine: with secrets where it names them, and users and groups that there are."""
    key = "whsec_" + b64encode(bytes(32)).decode()
    secrets = dict.fromkeys(("ami-secret", "exo", "xoxzo", "hoiio", "kannel"), "s3cret")
    for name, secret in {**secrets, "webhook-crm": key, "reports": key, "proxy": "me:pw"}.items():
        path = folder / name
        path.touch(0o600)
        path.write_text(secret)
        text = text.replace(f'"/etc/dialerd/{name}"', f'"{path}"')
    return text.replace('"alice"', "1001").replace('"operators"', "1003")


def defaults_of(model: type[BaseModel], *names: str) -> tuple[Any, ...]:
    return tuple(model.model_fields[name].default for name in names)
