"""Telnyx's published API (OpenAPI, July 2026) allows what goes out."""

from dataclasses import replace

import pytest

from dialerd.core.tasks import Script
from tests.providers.openapi import spec, violations
from tests.providers.telnyx_account import BY_TEXML, TELNYX, errand
from tests.providers.test_telnyx import REQUESTS

API = spec("telnyx_spec3_20260716.yml")


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_is_one_that_is_published(name: str) -> None:
    assert violations(API, REQUESTS[name][0](TELNYX)) == []


SAY = BY_TEXML.voice_say(errand(script=Script(say="Hi")))
BAD = {
    "there is no POST": replace(SAY, path="/texml/Shouts"),
    ".To is required": replace(SAY, json={name: each for name, each in SAY.json.items() if name != "To"}),
    "there is no .Too": replace(SAY, json={**SAY.json, "Too": "x"}),
    "it fits": replace(SAY, json={**SAY.json, "Url": "https://x.example"}),
    "out of bounds": replace(SAY, json={**SAY.json, "Timeout": 121}),
    "is no boolean": replace(SAY, json={**SAY.json, "Record": "maybe"}),
    "is none of": replace(SAY, json={**SAY.json, "Trim": "a bit"}),
    "query: there is no": replace(TELNYX.numbers_search(), query=(("filter[phone_number][middle]", "5"),)),
}


@pytest.mark.parametrize("why", BAD)
def test_a_request_that_is_not_would_be_noticed(why: str) -> None:
    found = violations(API, BAD[why])

    assert found
    assert all(why in each for each in found)
