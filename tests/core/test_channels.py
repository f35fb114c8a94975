"""Names of channels, as they were seen on Asterisk 22 and 16, and what is counted by them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.channels import Channel, channel_pattern, count, just_made, unmarked, watched
from dialerd.core.policy import Trunk

PROVIDER = "PJSIP/{digits}@provider"
SEEN = [
    (PROVIDER, "PJSIP/provider-0000001a"),
    ("PJSIP/provider/sip:{e164}@sip.example.org", "PJSIP/provider-00000006"),
    ("PJSIP/{digits}@prov-1.de_x", "PJSIP/prov-1.de_x-0000000a"),
    ("pjsip/{digits}@loop", "PJSIP/loop-00000000"),
    ("SIP/prov-1/{digits}", "SIP/prov-1-00000000"),
    ("Sip/{digits}@prov-1", "SIP/prov-1-00000002"),
    ("SIP/{digits}:secret@prov-2", "SIP/prov-2-00000006"),
    ("SIP/{digits}@127.0.0.1:40427", "SIP/127.0.0.1:40427-00000004"),
    ("IAX2/me-x/{digits}", "IAX2/me-x-5535"),
    ("IAX2/user:word@me-x/{digits}@office", "IAX2/me-x-881"),
    ("DAHDI/i1/{digits}", "DAHDI/i1/4930123456-5b"),
    ("Local/{extension}@from-internal/n", "Local/4930100@from-internal-00000007;1"),
    ("LOCAL/{digits}@sim", "Local/4930123@sim-00000003;2"),
    ("Local/{e164}@sim/nj", "Local/+4930123@sim-00000004;1"),
    ("Local/9{digits}@out", "Local/9030123@out-00000004;2"),
    ("Local/{extension}", "Local/100@default-00000001;1"),
]
OTHERS = [
    (PROVIDER, "PJSIP/provider2-0000001a"),
    (PROVIDER, "PJSIP/provider-2-0000001a"),
    (PROVIDER, "PJSIP/my-provider-0000001a"),
    (PROVIDER, "PJSIP/PROVIDER-0000001a"),
    (PROVIDER, "SIP/provider-0000001a"),
    (PROVIDER, "PJSIP/provider-0000001a<ZOMBIE>"),
    (PROVIDER, "AsyncGoto/PJSIP/provider-0000001a"),
    ("SIP/{digits}@a.b", "SIP/a-b-00000001"),
    ("Local/9{digits}@out", "Local/8030123@out-00000004;2"),
    ("Local/{digits}@out", "Local/s@out-00000004;2"),
    ("Local/{digits}@out", "Local/100@out-of-hours-00000004;2"),
    ("Local/{e164}@out", "Local/4930123@out-00000004;1"),
    ("IAX2/peer/{digits}", "IAX2/peer-2-881"),
    ("DAHDI/i1/{digits}", "DAHDI/i11/4930123456-5b"),
]
CANT_BE_TOLD = [
    "PJSIP/{extension}",
    "SIP/{extension}",
    "PJSIP/{digits}@{digits}",
    "IAX2/{digits}",
    "IAX2/192.0.2.1/{digits}",
    "IAX2/user@192.0.2.1:4569/{digits}",
    "IAX2/user@peer:4569/{digits}",
    "DAHDI/g1/{digits}",
    "DAHDI/1/{digits}",
    "Dongle/dongle0/{digits}",
    "PJSIP/",
    "PJSIP",
    "",
]


@pytest.mark.parametrize(("template", "name"), SEEN)
def test_a_trunks_channels_are_known_by_name(template: str, name: str) -> None:
    assert re.fullmatch(channel_pattern(template) or "", name)


@pytest.mark.parametrize(("template", "name"), OTHERS)
def test_a_channel_with_a_like_name_is_not_the_trunks(template: str, name: str) -> None:
    assert not re.fullmatch(channel_pattern(template) or ".*", name)


@pytest.mark.parametrize("template", CANT_BE_TOLD)
def test_where_names_tell_nothing_there_is_no_pattern(template: str) -> None:
    assert channel_pattern(template) is None


@given(st.text(max_size=60), st.sampled_from(["", "PJSIP/", "Local/", "SIP/", "IAX2/", "DAHDI/"]))
def test_whatever_the_template_its_pattern_compiles(text: str, technology: str) -> None:
    pattern = channel_pattern(technology + text)

    assert pattern is None or re.compile(pattern)


def test_only_trunks_with_a_bound_of_channels_are_watched() -> None:
    trunks = {
        "bound": Trunk("bound", PROVIDER, max_channels=3),
        "free": Trunk("free", PROVIDER),
        "group": Trunk("group", "DAHDI/g1/{digits}", max_channels=3),
    }

    assert watched(trunks) == {"bound": channel_pattern(PROVIDER)}


def patterns(**templates: str) -> dict[str, str]:
    return {name: channel_pattern(template) or "" for name, template in templates.items()}


def test_a_call_through_a_local_channel_counts_once() -> None:
    halves = [Channel(f"Local/100@out-0000000{call};{half}", str(call), "") for call in "12" for half in "12"]

    assert count(halves, patterns(out="Local/{digits}@out")) == {"out": {"": 2}}


def test_calls_of_our_attempts_are_told_from_those_of_others() -> None:
    channels = [
        Channel("PJSIP/provider-00000001", "1", "a.1"),
        Channel("PJSIP/provider-00000002", "2", ""),
        Channel("PJSIP/phone-00000003", "2", ""),
        Channel("PJSIP/provider-00000004", "4", ""),
    ]

    assert count(channels, patterns(main=PROVIDER)) == {"main": {"a.1": 1, "": 2}}


def test_phones_that_ring_together_belong_to_the_attempt_that_rings_them() -> None:
    channels = [
        Channel("PJSIP/provider-00000001", "0", ""),
        Channel("PJSIP/provider-00000002", "0", ""),
        Channel("Local/s@ring-00000001;1", "0", "a.1"),
        Channel("Local/s@ring-00000001;2", "0", "a.1"),
    ]

    assert count(channels, patterns(main=PROVIDER)) == {"main": {"a.1": 2}}


def test_each_trunk_is_counted_by_itself_and_an_idle_one_has_none() -> None:
    channels = [Channel("PJSIP/provider-00000001", "1", "a.1"), Channel("Local/1@out-00000001;1", "2", "")]

    counted = count(channels, patterns(main=PROVIDER, out="Local/{digits}@out", idle="SIP/x/{digits}"))

    assert counted == {"main": {"a.1": 1}, "out": {"": 1}, "idle": {}}


def test_calls_without_our_mark_are_told_and_which_of_all_were_just_made() -> None:
    channels = [
        Channel("Local/1@out-00000001;1", "1", "", idle=True),
        Channel("Local/1@out-00000001;2", "1", ""),
        Channel("PJSIP/provider-00000002", "2", "a.1", idle=True),
        Channel("PJSIP/provider-00000003", "3", ""),
    ]

    assert unmarked(channels) == {"1", "3"}
    assert just_made(channels) == {"1", "2"}
