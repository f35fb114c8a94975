"""The configuration's sections about reports."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from dialerd.config.reports import (
    HookSettings,
    ReportsSettings,
    ResultsSettings,
    WebhookSettings,
    give_secrets,
    read_report_secrets,
    report_settings,
)
from dialerd.core.errors import Mistake
from dialerd.core.reporting import USUAL_EVENTS, Hook, JobUrls, ReportSettings, Results, Wanted, Webhook
from tests.reports.world import SECRET


def secret_file(folder: Path, text: str = SECRET, mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.touch(mode)
    path.chmod(mode)
    path.write_text(text)
    return path


def mistake(kind: Any, text: str) -> str:
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(tomllib.loads(text))
    return str(caught.value)


def test_the_least_webhook_has_safe_defaults(tmp_path: Path) -> None:
    raw = tomllib.loads(
        f"[webhooks.crm]\nurl = 'https://crm.example.com/x'\nsecret_file = '{secret_file(tmp_path)}'"
    )
    mistakes: list[Mistake] = []
    webhooks = {name: WebhookSettings.model_validate(each) for name, each in raw["webhooks"].items()}
    give_secrets(webhooks, reports := ReportsSettings(), read_report_secrets(raw, {}, mistakes))

    settings = report_settings(webhooks, {}, ResultsSettings(), reports)

    assert mistakes == []
    assert settings == ReportSettings(webhooks=(Webhook("crm", "https://crm.example.com/x", SECRET),))
    assert SECRET not in f"{settings} {settings!r} {webhooks} {raw}"


def test_every_option_reaches_the_reporter() -> None:
    raw = tomllib.loads(
        """
        [webhooks.crm]
        url = "http://10.0.0.5/x"
        events = "failed"
        tags = ["vip*"]
        batches = "mon*"
        allow_private = true
        ca_file = "/etc/ca.pem"
        timeout = "5s"
        give_up_after = "1d"
        [hooks.tell]
        command = ["/usr/local/bin/tell", "now"]
        events = ["completed", "ringing"]
        timeout = "2m"
        [results]
        folder = "/srv/results"
        mode = "0600"
        group = "staff"
        [reports]
        allowed_urls = ["https://hooks.example.com/a/"]
        """
    )
    webhooks = {name: WebhookSettings.model_validate(each) for name, each in raw["webhooks"].items()}
    hooks = {name: HookSettings.model_validate(each) for name, each in raw["hooks"].items()}
    results = ResultsSettings.model_validate(raw["results"])
    reports = ReportsSettings.model_validate(raw["reports"])

    assert report_settings(webhooks, hooks, results, reports) == ReportSettings(
        webhooks=(
            Webhook(
                "crm",
                "http://10.0.0.5/x",
                "",
                Wanted(("failed",), ("vip*",), ("mon*",)),
                allow_private=True,
                ca_file=Path("/etc/ca.pem"),
                timeout=5,
                give_up_after=86400,
            ),
        ),
        hooks=(Hook("tell", ("/usr/local/bin/tell", "now"), Wanted(("completed", "ringing")), 120),),
        results=Results(Path("/srv/results"), 0o600, "staff"),
        job_urls=JobUrls(("https://hooks.example.com/a/",), events=USUAL_EVENTS),
    )


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        (WebhookSettings, "url = 'http://crm.example.com/'", "own network only, with allow_private"),
        (WebhookSettings, "url = 'https://me:pw@crm.example.com/'", "a user or a password"),
        (WebhookSettings, "url = 'crm.example.com'", "https://"),
        (WebhookSettings, "url = 'https://a/'\nevents = ['complete']", 'Did you mean "completed"?'),
        (WebhookSettings, "url = 'https://a/'\nevents = []", "at least 1 item"),
        (WebhookSettings, "url = 'https://a/'\ntimeout = '1h'", "It lies between"),
        (WebhookSettings, "url = 'https://a/'\nsecret = 'x'", "Extra inputs"),
        (HookSettings, "command = ['tell']", "a whole path"),
        (HookSettings, "command = []", "a whole path"),
        (HookSettings, 'command = ["/bin/tell", "a\\nb"]', "a line break"),
        (ResultsSettings, "mode = '0666'", "only dialerd and its group"),
        (ResultsSettings, "folder = 'results'", "the whole path"),
        (ReportsSettings, "allowed_urls = ['http://a/']", "own network only"),
        (ReportsSettings, "allowed_urls = ['https://a/?x']", "end it before the ?"),
        (ReportsSettings, "allowed_urls = ['https://a/../b']", "Its path"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(kind: Any, text: str, why: str) -> None:
    assert why in mistake(kind, text)


@pytest.mark.parametrize(
    "secret", ["s3cret", "whsec_", "whsec_c2hvcnQ=", "whsec_***", "whsec_" + "QUFB" * 40]
)
def test_a_secret_that_is_no_webhooks_secret_is_told_and_not_shown(tmp_path: Path, secret: str) -> None:
    raw = {"webhooks": {"crm": {"secret_file": str(secret_file(tmp_path, secret))}}}
    mistakes: list[Mistake] = []

    read_report_secrets(raw, {}, mistakes)

    assert [each.where for each in mistakes] == ["webhooks.crm.secret_file"]
    assert "openssl rand -base64 32" in mistakes[0].what
    assert secret == "whsec_" or secret not in mistakes[0].what


def test_every_missing_or_open_secret_is_told_at_once(tmp_path: Path) -> None:
    raw = {
        "webhooks": {"crm": {}, "open": {"secret_file": str(secret_file(tmp_path, mode=0o644))}},
        "reports": {"allowed_urls": ["https://a/"]},
    }
    mistakes: list[Mistake] = []

    read_report_secrets(raw, {}, mistakes)

    told = {each.where: each.what for each in mistakes}
    assert "credential webhook_crm" in told["webhooks.crm.secret_file"]
    assert "chmod 0600" in told["webhooks.open.secret_file"]
    assert "credential reports_secret" in told["reports.secret_file"]


def test_a_secret_may_come_as_a_credential_of_systemd(tmp_path: Path) -> None:
    (tmp_path / "webhook_crm").write_text(SECRET + "\n")
    (tmp_path / "webhook_crm").chmod(0o440)
    mistakes: list[Mistake] = []

    found = read_report_secrets({"webhooks": {"crm": {}}}, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, mistakes)

    assert (found, mistakes) == ({"webhooks.crm": SECRET}, [])


def test_without_allowed_urls_no_secret_is_needed() -> None:
    mistakes: list[Mistake] = []

    read_report_secrets({"reports": {}, "webhooks": "wrong"}, {}, mistakes)

    assert mistakes == []
