"""A job's own terms: hours, retries, the callee's zone."""

from dataclasses import replace

import pytest

from dialerd.core.errors import InvalidJob
from dialerd.core.policy import Trunk
from dialerd.intake.document import parse
from tests.intake.documents import NOW, RULES, mistakes_in, one

SIMPLE = {"to": "+4930123456", "play": "hello-world"}


def test_hours_of_a_job_have_few_spans_a_day() -> None:
    spans = [
        f"{hour:02d}:{minute:02d}-{hour:02d}:{minute + 1:02d}" for hour in range(9, 17) for minute in (0, 30)
    ]
    with pytest.raises(InvalidJob, match="One day has 16 spans: 6 are the most"):
        parse({"to": "+18002345678", "play": "hello-world", "hours": spans}, RULES, NOW)


def test_names_that_are_not_configured_are_told_with_those_that_are() -> None:
    found = mistakes_in(
        {**SIMPLE, "retry": "patiens", "recipient_timezone": "Europe/Berln", "hours": "offce"}
    )
    assert found["retry"].endswith('Did you mean "patient"?')
    assert found["recipient_timezone"].endswith('Did you mean "Europe/Berlin"?')
    assert "[hours.offce]" in found["hours"]


def test_windows_that_are_over_before_the_job_is_are_refused() -> None:
    found = mistakes_in({**SIMPLE, "hours": "sun 03:00-04:00", "not_after": "in 2h"})
    assert "there is no time left" in found["hours"].lower()


def test_a_job_outside_its_hours_waits_for_them_from_the_start() -> None:
    draft = one({**SIMPLE, "hours": "sun 10:00-11:00"})
    assert draft.not_before is not None
    assert draft.not_before > NOW
    assert draft.notes[0].startswith("outside calling hours")


def test_more_phones_than_the_trunk_has_channels_are_refused() -> None:
    small = {"provider": replace(RULES.trunks["provider"], max_channels=1)}
    document = {
        "to": ["+4930123456", "+4930123457"],
        "ring": "any",
        "play": "hello-world",
        "trunk": "provider",
    }
    with pytest.raises(InvalidJob, match="2 phones at once"):
        parse(document, replace(RULES, trunks={**RULES.trunks, **small}), NOW)


def test_a_trunk_that_may_not_show_a_caller_id_is_no_way() -> None:
    trunks = {"provider": Trunk("provider", "PJSIP/{digits}@provider", caller_ids=("+4930*",))}
    with pytest.raises(InvalidJob, match="may not show"):
        parse({**SIMPLE, "caller_id": "<+4940123456>"}, replace(RULES, trunks=trunks), NOW)
