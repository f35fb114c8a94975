"""What Asterisk and its manager say, and what is made of it."""

import time
from dataclasses import replace
from pathlib import Path

import pytest

from dialerd.checks.asterisk import Expected, findings, openness
from dialerd.core.findings import Finding, Verdict
from dialerd.pbx.asking import AmiFacts

ACTIONS = frozenset(("Setvar", "Hangup", "CoreSettings", "CoreStatus", "CoreShowChannels", "Filter", "Ping"))
GOOD = AmiFacts(
    ahead_s=0.1,
    zone=time.strftime("%z"),
    version="22.10.1+dfsg",
    actions=ACTIONS,
    classes=frozenset(("call", "reporting", "system")),
    read=frozenset(("call", "dialplan", "system", "cdr")),
    modules={"pbx_spool": True, "cdr_manager": True},
    spool="/var/spool/asterisk",
)
EXPECTED = Expected("127.0.0.1", 5038, "dialerd", Path("/var/spool/asterisk"), 200)


def told(**changes: object) -> dict[str, Finding]:
    """What is not well, by its name."""
    found = findings(replace(GOOD, **changes), EXPECTED)  # type: ignore[arg-type]
    return {each.name: each for each in found if each.verdict is not Verdict.OK}


def test_nothing_is_wrong_with_a_good_one() -> None:
    assert told() == {}


@pytest.mark.parametrize(
    ("changes", "name", "verdict", "words"),
    [
        ({"modules": {"pbx_spool": False}}, "pbx_spool", Verdict.ERROR, "module load pbx_spool.so"),
        ({"modules": {}}, "pbx_spool", Verdict.SKIPPED, "write = system"),
        ({"modules": {"pbx_spool": True, "cdr_manager": False}}, "cdr_manager", Verdict.NOTE, "optional"),
        ({"spool": "/srv/spool"}, "spool", Verdict.ERROR, 'spool = "/srv/spool" under [asterisk]'),
        ({"max_calls": 20}, "call limit", Verdict.NOTE, "maxcalls"),
        ({"max_load": 1.5}, "load limit", Verdict.NOTE, "1.5"),
        ({"version": "13.38.3"}, "asterisk version", Verdict.WARNING, "16 or newer"),
        ({"version": "GIT-master-1234"}, "asterisk version", Verdict.NOTE, "GIT-master"),
        ({"actions": ACTIONS - {"Filter"}}, "ami rights", Verdict.ERROR, "system"),
        ({"read": frozenset({"call", "system"})}, "ami events", Verdict.ERROR, "dialplan"),
        ({"read": frozenset({"call", "system", "dialplan"})}, "ami events", Verdict.NOTE, "cdr"),
        ({"read": None}, "ami events", Verdict.SKIPPED, "could not be asked"),
        ({"ahead_s": 3600.0}, "asterisk clock", Verdict.ERROR, "1.0 hours ahead"),
        ({"ahead_s": -3600.0}, "asterisk clock", Verdict.ERROR, "behind"),
        ({"ahead_s": 20.0}, "asterisk clock", Verdict.WARNING, "20 seconds ahead"),
        ({"refused": "No."}, "ami", Verdict.ERROR, "[dialerd] in manager.conf"),
        ({"unreachable": "Nothing listens."}, "ami", Verdict.ERROR, "enabled = yes"),
    ],
)
def test_each_trouble_has_its_weight_and_its_cure(
    changes: dict[str, object], name: str, verdict: Verdict, words: str
) -> None:
    found = told(**changes)

    assert list(found) == [name]
    assert found[name].verdict is verdict
    assert words in f"{found[name].found} {found[name].todo}"


def test_missing_classes_are_named_with_the_whole_line_to_write() -> None:
    found = told(
        actions=frozenset({"CoreSettings", "CoreStatus", "CoreShowChannels"}),
        classes=frozenset(["reporting"]),
    )

    assert "lacks the write classes call, system" in found["ami rights"].found
    assert "under [dialerd]: write = call,reporting,system" in found["ami rights"].todo


@pytest.mark.parametrize("wide", ["command", "originate", "config", "agi"])
def test_more_rights_than_needed_are_a_warning(wide: str) -> None:
    found = told(classes=GOOD.classes | {wide})

    assert found["ami rights"].verdict is Verdict.WARNING
    assert wide in found["ami rights"].found
    assert "write = call,reporting,system" in found["ami rights"].todo


def test_reading_all_is_enough() -> None:
    assert told(read=frozenset(["all"])) == {}


@pytest.mark.parametrize(
    "version", ["16.28.0~dfsg-0+deb11u4", "22.10.1", "certified/20.7-cert1", "certified-18.9"]
)
def test_versions_from_16_on_are_known(version: str) -> None:
    assert told(version=version) == {}


def test_another_zone_is_only_a_note() -> None:
    found = told(zone="+0530" if time.strftime("%z") != "+0530" else "-0300")

    assert found["asterisk clock"].verdict is Verdict.NOTE


HEAD = "  sl  local_address rem_address   st tx_queue rx_queue\n"


def listening(*addresses: str) -> str:
    """As /proc/net/tcp shows listeners at port 5038 (13AE), and a connection."""
    return (
        HEAD
        + "".join(f"   0: {each}:13AE 00000000:0000 0A 0:0\n" for each in addresses)
        + ("   9: 00000000:0016 00000000:0000 0A 0:0\n   8: 0A01A8C0:13AE 0B01A8C0:8000 01 0:0\n")
    )


@pytest.mark.parametrize(
    ("address", "open_"),
    [
        ("0100007F", ""),
        ("00000000", "0.0.0.0"),
        ("0A01A8C0", "192.168.1.10"),
        ("00000000000000000000000001000000", ""),
        ("00000000000000000000000000000000", "::"),
        ("0000000000000000FFFF00000100007F", ""),
    ],
)
def test_ami_that_others_reach_is_a_warning(address: str, open_: str) -> None:
    (found,) = openness("127.0.0.1", 5038, {"net/tcp": listening(address)})

    assert found.verdict is (Verdict.WARNING if open_ else Verdict.OK)
    assert not open_ or f"on {open_}," in found.found


def test_ami_elsewhere_is_a_warning_since_it_is_clear_text() -> None:
    (found,) = openness("192.0.2.7", 5038, {})

    assert found.verdict is Verdict.WARNING
    assert "clear text" in found.found


def test_nothing_is_said_of_a_port_that_nobody_listens_at() -> None:
    assert list(openness("localhost", 5039, {"net/tcp": listening("00000000")})) == []
