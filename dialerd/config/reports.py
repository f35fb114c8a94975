"""The sections about reports: webhooks, hooks, the results folder, and the report_urls of jobs."""

import base64
import binascii
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, SecretStr, model_validator

from dialerd.config.fields import (
    Account,
    Duration,
    Pattern,
    Patterns,
    Place,
    Section,
    as_tuple,
    bounds,
    file_mode,
    word,
)
from dialerd.core import reporting, texts
from dialerd.core.errors import Mistake
from dialerd.core.report_urls import url_mistake
from dialerd.core.reporting import DAY_S, ReportSettings, Wanted
from dialerd.secret import read_secret

_KEY_BYTES = range(24, 65)
"""How long a secret may be (Standard Webhooks, "Symmetric")."""

_HOW = "It is whsec_ and 24 to 64 random bytes in base64: echo whsec_$(openssl rand -base64 32) makes one."


def _command(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words or not words[0].startswith("/"):
        raise ValueError(
            'Write the command as a list that begins with a whole path: ["/usr/local/bin/told"].'
        )
    for each in words:
        texts.without_controls(each)
    return words


def _event(name: str) -> str:
    if name not in reporting.EVENTS:
        hint = texts.nearest(name, reporting.EVENTS)
        raise ValueError(f"There is no event {name!r}; there are {', '.join(reporting.EVENTS)}.{hint}")
    return name


def _reports_mode(value: object) -> object:
    found = file_mode(value)
    if isinstance(found, int) and found & 0o113:
        raise ValueError("Results are files that nobody runs and that only dialerd and its group may read.")
    return found


SinkName = Annotated[
    str,
    AfterValidator(
        partial(
            word,
            pattern=r"[A-Za-z0-9_\-]{1,40}",
            otherwise="A name here has 1 to 40 letters, digits, _ and -",
        )
    ),
]
_EventName = Annotated[str, AfterValidator(_event)]
_Events = Annotated[tuple[_EventName, ...], BeforeValidator(as_tuple), Field(min_length=1)]
_Command = Annotated[tuple[str, ...], BeforeValidator(as_tuple), AfterValidator(_command)]
_Timeout = Annotated[Duration, bounds(1, 300)]
_GiveUp = Annotated[Duration, bounds(60, 30 * DAY_S)]


class _Signed(Section):
    """What sinks that are spoken to by HTTP share."""

    secret_file: Place | None = None
    allow_private: bool = False
    ca_file: Place | None = None
    timeout: _Timeout = 15
    give_up_after: _GiveUp = 3 * DAY_S
    _secret: SecretStr = PrivateAttr(default=SecretStr(""))

    @property
    def secret(self) -> str:
        """The key that reports are signed with, in clear."""
        return self._secret.get_secret_value()


class WebhookSettings(_Signed):
    """An address that is told."""

    url: str
    events: _Events = reporting.USUAL_EVENTS
    tags: Patterns = ()
    batches: Patterns = ()

    @model_validator(mode="after")
    def _right(self) -> "WebhookSettings":
        if mistake := url_mistake(self.url, plain=self.allow_private):
            raise ValueError(f"url: {mistake}{_plain_hint(self.url, self.allow_private)}")
        return self


class HookSettings(Section):
    """A command that is told."""

    command: _Command
    events: _Events = reporting.USUAL_EVENTS
    tags: Patterns = ()
    batches: Patterns = ()
    timeout: _Timeout = 30
    give_up_after: _GiveUp = 3 * DAY_S


class ResultsSettings(Section):
    """The folder that gets a file for each ended job; without `folder` there is none."""

    folder: Place | None = None
    mode: Annotated[int, BeforeValidator(_reports_mode)] = 0o640
    group: Account = ""


class ReportsSettings(_Signed):
    """The addresses that jobs may have reports sent to."""

    allowed_urls: Annotated[tuple[Pattern, ...], BeforeValidator(as_tuple)] = ()
    events: _Events = reporting.USUAL_EVENTS

    @model_validator(mode="after")
    def _right(self) -> "ReportsSettings":
        for url in self.allowed_urls:
            mistake = url_mistake(url, plain=self.allow_private)
            if mistake is None and "?" in url:
                mistake = "It holds a query, which is not compared: end it before the ?."
            if mistake:
                raise ValueError(f"allowed_urls: {url}: {mistake}{_plain_hint(url, self.allow_private)}")
        return self


def _plain_hint(url: str, private: bool) -> str:
    if url.startswith("http://") and not private:
        return " http:// is for receivers in the own network only, with allow_private = true."
    return ""


def read_report_secrets(
    raw: Mapping[str, Any], environ: Mapping[str, str], mistakes: list[Mistake]
) -> dict[str, str]:
    """The secrets of [webhooks.NAME] and [reports], by the sections' paths; adds what is wrong with them."""
    secrets = {}
    for where, section, credential in _signed_sections(raw):
        secret = read_secret(section, where, credential, environ, mistakes)
        if secret and not _is_key(secret):
            mistakes.append(Mistake(f"{where}.secret_file", f"This is no secret of a webhook. {_HOW}"))
        if secret is None:
            what = (
                "Reports are signed: name a file that holds a secret here, or hand it over as systemd's"
                f" credential {credential}. {_HOW}"
            )
            mistakes.append(Mistake(f"{where}.secret_file", what))
        secrets[where] = secret or ""
    return secrets


def give_secrets(
    webhooks: Mapping[str, WebhookSettings], reports: ReportsSettings, secrets: Mapping[str, str]
) -> None:
    """Puts the secrets into their sections."""
    for name, webhook in webhooks.items():
        webhook._secret = SecretStr(secrets.get(f"webhooks.{name}", ""))
    reports._secret = SecretStr(secrets.get("reports", ""))


def report_settings(
    webhooks: Mapping[str, WebhookSettings],
    hooks: Mapping[str, HookSettings],
    results: ResultsSettings,
    reports: ReportsSettings,
) -> ReportSettings:
    """What the reporter needs to know."""
    return ReportSettings(
        webhooks=tuple(_webhook(name, each) for name, each in webhooks.items()),
        hooks=tuple(
            reporting.Hook(name, each.command, _wanted(each), each.timeout, each.give_up_after)
            for name, each in hooks.items()
        ),
        results=None
        if results.folder is None
        else reporting.Results(results.folder, results.mode, results.group),
        job_urls=reporting.JobUrls(
            allowed=reports.allowed_urls,
            secret=reports.secret,
            events=reports.events,
            allow_private=reports.allow_private,
            ca_file=reports.ca_file,
            timeout=reports.timeout,
            give_up_after=reports.give_up_after,
        ),
    )


def _webhook(name: str, each: WebhookSettings) -> reporting.Webhook:
    return reporting.Webhook(
        name=name,
        url=each.url,
        secret=each.secret,
        wanted=_wanted(each),
        allow_private=each.allow_private,
        ca_file=each.ca_file,
        timeout=each.timeout,
        give_up_after=each.give_up_after,
    )


def _wanted(each: WebhookSettings | HookSettings) -> Wanted:
    return Wanted(each.events, each.tags, each.batches)


def _signed_sections(raw: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], str]]:
    """Path, section and systemd credential of each section that needs a secret."""
    webhooks, reports = raw.get("webhooks", {}), raw.get("reports", {})
    if isinstance(webhooks, dict):
        for name, section in webhooks.items():
            if isinstance(section, dict):
                yield f"webhooks.{name}", section, f"webhook_{name}"
    if isinstance(reports, dict) and reports.get("allowed_urls"):
        yield "reports", reports, "reports_secret"


def _is_key(secret: str) -> bool:
    try:
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        return False
    return secret.startswith("whsec_") and len(key) in _KEY_BYTES
