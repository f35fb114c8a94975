"""Who is on which trunk, on real Asterisks 22 and 16: the names of channels, and whose they are."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dialerd.core.channels import channel_pattern
from dialerd.core.signals import AsteriskLoad, CallSeen
from dialerd.pbx.ami import Pace
from tests.asterisk import Asterisk
from tests.pbx.lines import QUICK, Dialling, Heard, up
from tests.pbx.place import place
from tests.ports import free_port
from tests.waiting import until

SIP_ENDPOINT = """
[provider]
type = endpoint
context = sim
transport = t-udp
aors = loop
disallow = all
allow = ulaw
"""
PEER = "[peer-1]\ntype = friend\nhost = 127.0.0.1\ncontext = sim\ninsecure = port,invite\n"
DIALPLAN = """
[default]
exten => _X.,1,Goto(sim,answer,1)
[via]
exten => _X.,1,Dial(PJSIP/answer@provider)
"""
TEMPLATES = {
    "PJSIP/{digits}@provider": "PJSIP/4930123@provider",
    "PJSIP/provider/sip:{digits}@127.0.0.1:SIP_PORT": "PJSIP/provider/sip:4930123@127.0.0.1:SIP_PORT",
    "Local/{digits}@sim": "Local/4930123@sim",
    "Local/{digits}@sim/n": "Local/4930123@sim/n",
    "local/{e164}@sim": "local/+4930123@sim",
    "Local/{extension}": "Local/4930123",
    "IAX2/me:word@peer-1/{digits}": "IAX2/me:word@peer-1/4930123",
    "SIP/peer-1/{digits}": "SIP/peer-1/4930123",
    "SIP/{digits}@127.0.0.2": "SIP/4930123@127.0.0.2",
}


def provided(made: Asterisk) -> Iterator[Asterisk]:
    """It runs, with a provider of each technology that it has (SIP: only 16)."""
    modules = ["res_clioriginate", "chan_iax2", *(["chan_sip"] if made.version == 16 else [])]
    made.configure("modules.conf", "".join(f"load = {name}.so\n" for name in modules))
    made.configure("pjsip.conf", SIP_ENDPOINT)
    port = free_port()
    made.configure("iax.conf", f"[general]\nbindaddr = 127.0.0.1\nbindport = {port}\n{PEER}port = {port}\n")
    made.configure("sip.conf", f"[general]\nudpbindaddr = 127.0.0.1:{free_port()}\n{PEER}")
    made.configure("extensions.conf", DIALPLAN)
    try:
        yield made.start()
    finally:
        made.remove()


@pytest.fixture(scope="module")
def pbx22() -> Iterator[Asterisk]:
    yield from provided(Asterisk(22))


@pytest.fixture(scope="module")
def pbx16() -> Iterator[Asterisk]:
    yield from provided(Asterisk(16))


@pytest.fixture(params=[22, 16])
def pbx(request: pytest.FixtureRequest) -> Iterator[Asterisk]:
    """Each version in turn, without any call."""
    made: Asterisk = request.getfixturevalue(f"pbx{request.param}")
    yield made
    made.cli("channel request hangup all")
    until(lambda: made.cli("core show channels count").startswith("0 active"))


def told(heard: Heard) -> dict[str, dict[str, int]]:
    loads = until(lambda: [load.on_trunks for load in heard.of(AsteriskLoad) if load.on_trunks is not None])
    return {trunk: dict(calls) for trunk, calls in loads[-1].items()}


def sip_port(pbx: Asterisk) -> str:
    return dict(line.split("=") for line in (pbx.folder / "ports").read_text().split())["SIP_PORT"]


def call(pbx: Asterisk, channel: str) -> None:
    """A call of somebody else, which lasts."""
    pbx.cli(f"channel originate {channel.replace('SIP_PORT', sip_port(pbx))} application Wait 600")


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_call_on_a_trunk_is_seen_by_the_name_of_its_channel(
    pbx: Asterisk, line: Dialling, template: str
) -> None:
    if template.startswith("SIP/") and pbx.version != 16:
        return  # Asterisk 22 has no chan_sip
    pattern = channel_pattern(template.replace("SIP_PORT", sip_port(pbx))) or ""
    _, heard = line(pbx.ami_port, watched=lambda: {"trunk": pattern})
    idle = told(heard)

    call(pbx, TEMPLATES[template])

    assert idle == {"trunk": {}}
    assert until(lambda: told(heard) == {"trunk": {"": 1}})


def test_our_calls_are_told_from_those_of_others_and_go_with_their_ends(
    pbx: Asterisk, line: Dialling
) -> None:
    pattern = channel_pattern("PJSIP/{digits}@provider") or ""
    _, heard = line(pbx.ami_port, watched=lambda: {"trunk": pattern})
    up(heard)
    call(pbx, "PJSIP/answer@provider")
    ours = place(pbx, "PJSIP/hangup-after-1500@provider", "Application: Wait\nData: 600")

    both = until(lambda: told(heard)["trunk"] == {ours.removesuffix(".call"): 1, "": 1})
    until(lambda: (pbx.outgoing_done / ours).exists())

    assert both
    assert until(lambda: told(heard)["trunk"] == {"": 1})


def test_a_far_leg_belongs_to_the_attempt_whose_dialplan_dials_it(pbx: Asterisk, line: Dialling) -> None:
    templates = {"near": "Local/{digits}@via", "far": "PJSIP/{digits}@provider"}
    patterns = {name: channel_pattern(template) or "" for name, template in templates.items()}
    _, heard = line(pbx.ami_port, watched=lambda: patterns)
    up(heard)

    ours = place(pbx, "Local/100@via", "Application: Wait\nData: 600").removesuffix(".call")

    assert until(lambda: told(heard) == {"near": {ours: 1}, "far": {ours: 1}})


def test_calls_that_just_begin_are_not_taken_for_those_of_others(pbx: Asterisk, line: Dialling) -> None:
    pattern = channel_pattern("Local/{digits}@sim") or ""
    pace = replace(QUICK, settled=Pace().settled)
    _, heard = line(pbx.ami_port, pace=pace, watched=lambda: {"trunk": pattern})
    up(heard)

    files = [place(pbx, "Local/100@sim", "Application: NoOp") for _ in range(300)]
    until(lambda: {seen.name for seen in heard.of(CallSeen) if seen.trace.ended} >= set(files), 30)

    lists = [load.on_trunks["trunk"] for load in heard.of(AsteriskLoad) if load.on_trunks]
    assert sum(each.get("", 0) for each in lists) == 0
