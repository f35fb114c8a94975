"""Twilio's published API (OpenAPI, April 2026) allows what goes out."""

from dataclasses import replace

import pytest

from dialerd.core.tasks import Script
from tests.providers.openapi import spec, violations
from tests.providers.test_twilio import REQUESTS
from tests.providers.twilio_account import TWILIO, errand

API = spec("twilio_api_v2010.json")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_one_that_is_published(name: str) -> None:
    assert violations(API, REQUESTS[name][0](TWILIO)) == []


SAY = TWILIO.voice_say(errand(script=Script(say="Hi")))
BAD = {
    "there is no POST": replace(SAY, path=SAY.path.replace("Calls", "Shouts")),
    "To is required": replace(SAY, form=tuple(pair for pair in SAY.form or () if pair[0] != "To")),
    "there is no Too": replace(SAY, form=(*(SAY.form or ()), ("Too", "x"))),
    "To is repeated": replace(SAY, form=(*(SAY.form or ()), ("To", "x"))),
    "does not fit": replace(SAY, path=SAY.path.replace("ACa", "AXa")),
    "is no integer": replace(SAY, form=(*(SAY.form or ()), ("MachineDetectionTimeout", "long"))),
    "is none of": replace(SAY, form=(*(SAY.form or ()), ("Method", "PATCH"))),
    "query: there is no": replace(TWILIO.voice_history(), query=(("Begin", "x"),)),
}


@pytest.mark.parametrize("why", BAD)
def test_a_request_that_is_not_would_be_noticed(why: str) -> None:
    found = violations(API, BAD[why])

    assert found
    assert all(why in each for each in found)
