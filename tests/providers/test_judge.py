from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from dialerd.core.errors import (
    AccountRefused,
    NotServed,
    Rejected,
    Unavailable,
    Unconfirmed,
)
from dialerd.providers.wire import Request
from tests.providers.cloud import HTML, Cloud, Says, says
from tests.providers.performing import error
from tests.providers.samples import CANARY

STATUSES = {
    **dict.fromkeys([401, 402], AccountRefused),
    **dict.fromkeys([400, 403, 404, 405, 409, 410, 415, 422, 451, 499], Rejected),
    **dict.fromkeys([408, 425, 429], Unavailable),
    **dict.fromkeys([300, 301, 302, 303, 304, 307, 308], Unconfirmed),
    **dict.fromkeys([500, 501, 502, 503, 504, 507, 520, 599], Unconfirmed),
}


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_its_verdict_and_is_asked_for_once(cloud: Cloud, status: int) -> None:
    raised = error(cloud, Says(status, HTML))

    assert type(raised) is STATUSES[status]
    assert str(status) in str(raised)
    assert len(cloud.seen) == 1


def test_a_redirect_is_not_followed(cloud: Cloud, own_cloud: Cloud) -> None:
    raised = error(cloud, Says(307, b"", (("Location", own_cloud.url),)))

    assert "redirect" in str(raised)
    assert own_cloud.connections == 0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("99999999", 86400.0),
        ("soon", None),
        ("-1", None),
        (format_datetime(datetime(2001, 1, 1, tzinfo=UTC), usegmt=True), 0.0),
    ],
)
def test_the_wait_that_is_asked_for_is_understood(cloud: Cloud, value: str, seconds: float | None) -> None:
    raised = error(cloud, Says(429, b"", (("Retry-After", value),)))

    assert isinstance(raised, Unavailable)
    assert raised.retry_after == seconds


def test_a_wait_may_be_asked_for_as_a_date(cloud: Cloud) -> None:
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=1000), usegmt=True)

    raised = error(cloud, Says(429, b"", (("Retry-After", when),)))

    assert isinstance(raised, Unavailable)
    assert raised.retry_after is not None
    assert 900 < raised.retry_after <= 1000


def test_the_provider_has_its_own_table(cloud: Cloud) -> None:
    raised = error(cloud, says({"code": "country", "message": "Not to Mars"}, 403))

    assert type(raised) is NotServed
    assert "Not to Mars" in str(raised)


@pytest.mark.parametrize("code", ["20003", "+1", "999999"])
def test_the_code_of_an_error_can_be_looked_up(cloud: Cloud, code: str) -> None:
    assert f"Authenticate ({code})" in str(error(cloud, says({"message": f"Authenticate ({code})"}, 401)))


@pytest.mark.parametrize(
    ("number", "shown"), [("+49301", "…301"), ("4930123", "…123"), ("4915112345678", "…5678")]
)
def test_a_number_in_the_providers_words_is_masked(cloud: Cloud, number: str, shown: str) -> None:
    told = str(error(cloud, says({"message": f"bad number {number}"}, 400)))

    assert shown in told
    assert number not in told


def test_the_providers_words_are_quoted_without_secret_number_and_message(cloud: Cloud) -> None:
    body = "See you tonight at eight"
    words = f"{CANARY}: bad number +4915112345678 in '{body}'\r\n\x1b[31m" + "y" * 1000
    request = Request("POST", "/x", form=(("Text", body),))

    shown = str(error(cloud, says({"message": words}, 422), request))

    assert "bad number …5678" in shown
    assert CANARY not in shown
    assert body not in shown
    assert shown.isprintable()
    assert len(shown) < 500
