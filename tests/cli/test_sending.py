"""dialerctl's commands that submit jobs for providers, before a real Api on a real socket, which reads the
documents as ever."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dialerd.core.model import Disposition
from tests.cli.running import ctl, ended_soon, jobs, lines
from tests.client.recording import DOCUMENT, Recording
from tests.intake.asking import ProvidersServed

BERLIN, HAMBURG, SINGAPORE = "+4930123456", "+4940123456", "+6591234567"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ProvidersServed]:
    with ProvidersServed(tmp_path / "s") as running:
        yield running


def made(served: ProvidersServed, *words: str, stdin: str | None = None) -> dict[str, Any]:
    """The job that a command made."""
    result = ctl(served, *words, "--json", stdin=stdin)
    assert result.exit_code == 0, result.output
    (job,) = jobs(served)
    assert lines(result)[-1]["id"] == job["id"]
    return dict(job)


JOBS: list[tuple[list[str], dict[str, Any]]] = [
    (["sms", "send", BERLIN, "Hello"], {"kind": "sms", "to": BERLIN, "body": "Hello"}),
    (["sms", "send", BERLIN, "--body", "12345"], {"kind": "sms", "to": BERLIN, "body": "12345"}),
    (
        [
            *("sms", "send", BERLIN, "--template", "t1", "--extra", "name=Anna", "--extra", "dlt=1=2"),
            *("--sender", "ACME", "--urgent", "--provider", "hoiio", "--tag", "a", "--tag", "b"),
            *("--key", "k", "--priority", "0"),
        ],
        {
            "kind": "sms", "to": BERLIN, "template": "t1", "extra": {"name": "Anna", "dlt": "1=2"},
            "sender": "ACME", "urgent": True, "provider": "hoiio", "tags": ["a", "b"], "key": "k",
            "priority": 0,
        },
    ),
    (
        ["sms", "send", BERLIN, "--media", "https://example.com/a.jpg", "--batch", "x", "--bulk", "y"],
        {"kind": "sms", "media": ["https://example.com/a.jpg"], "batch": "x", "bulk": True, "body": "y"},
    ),
    (
        ["sms", "send", BERLIN, "--media", "https://example.com/a.jpg"],
        {"kind": "sms", "to": BERLIN, "media": ["https://example.com/a.jpg"], "body": None},
    ),
    (
        ["voice", "connect", SINGAPORE, BERLIN, "--caller-id", SINGAPORE, "--longest", "60", "--record"],
        {"kind": "call", "to": SINGAPORE, "connect": BERLIN, "longest": 60, "record": True},
    ),
    (["voice", "connect", BERLIN], {"kind": "call", "connect": BERLIN}),
    (["voice", "flow", BERLIN, "926"], {"kind": "call", "to": BERLIN, "flow": "926"}),
    (
        ["voice", "play", BERLIN, "https://example.com/a.mp3"],
        {"kind": "call", "to": BERLIN, "play_url": "https://example.com/a.mp3"},
    ),
    (
        ["voice", "say", BERLIN, "Guten Tag", "--language", "de"],
        {"kind": "call", "to": BERLIN, "say": "Guten Tag", "language": "de"},
    ),
    (
        [
            "call", BERLIN, "--play", "fire", "--say", "Fire.", "--language", "en", "--longest", "60",
            "--record", "--extra", "a=b=c",
        ],
        {
            "kind": "call", "to": BERLIN, "play": "fire", "say": "Fire.", "language": "en", "longest": 60,
            "record": True, "extra": {"a": "b=c"},
        },
    ),
    (
        ["call", BERLIN, "--connect", HAMBURG, "--provider", "hoiio"],
        {"kind": "call", "to": BERLIN, "connect": HAMBURG, "provider": "hoiio"},
    ),
    (["call", "--connect", HAMBURG], {"kind": "call", "to": None, "connect": HAMBURG}),
    (["call", BERLIN, "--flow", "926"], {"kind": "call", "to": BERLIN, "flow": "926"}),
    (
        ["call", BERLIN, "--play-url", "https://example.com/a.mp3"],
        {"kind": "call", "to": BERLIN, "play_url": "https://example.com/a.mp3"},
    ),
    (
        ["voice", "conference", BERLIN, HAMBURG, "--room", "R1"],
        {"kind": "conference", "to": [BERLIN, HAMBURG], "room": "R1"},
    ),
    (["voice", "add", "R1", BERLIN], {"kind": "conference", "to": BERLIN, "room": "R1"}),
    (
        ["ivr", "dial", BERLIN, "--message", "Fire."],
        {"kind": "ivr", "to": BERLIN, "message": "Fire.", "steps": None},
    ),
    (["ivr", "dial", BERLIN], {"kind": "ivr", "to": BERLIN, "message": None, "steps": None}),
    (
        ["numbers", "buy", SINGAPORE, "--provider", "hoiio", "--duration", "3", "--set", "x=y"],
        {
            "kind": "number", "order": "buy", "number": SINGAPORE, "details": {"duration": "3", "x": "y"},
            "provider": "hoiio",
        },
    ),
    (
        ["numbers", "configure", SINGAPORE, "--forward-to", BERLIN, "--alias", "desk"],
        {
            "kind": "number", "order": "configure", "number": SINGAPORE, "provider": "hoiio",
            "details": {"forward_to": BERLIN, "alias": "desk"},
        },
    ),
    (
        ["numbers", "release", "+12065550100"],
        {"kind": "number", "order": "release", "number": "+12065550100", "provider": "flowroute"},
    ),
    (
        ["routes", "create", "host", "pbx.example.com:5060", "--alias", "office"],
        {
            "kind": "number", "order": "create-route", "number": "pbx.example.com:5060",
            "details": {"type": "host", "alias": "office"},
        },
    ),
    (
        ["routes", "set-primary", "+12065550100", "98396"],
        {"kind": "number", "order": "set-primary", "details": {"route": "98396"}},
    ),
    (
        ["routes", "set-failover", "+12065550100", "98396"],
        {"kind": "number", "order": "set-failover", "details": {"route": "98396"}},
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "job"), JOBS, ids=lambda each: " ".join(each[:3]) if isinstance(each, list) else ""
)
def test_a_command_makes_this_job(served: ProvidersServed, words: list[str], job: dict[str, Any]) -> None:
    found = made(served, *words)

    assert {name: found.get(name) for name in job} == job


def test_a_text_comes_from_standard_input_or_a_file(served: ProvidersServed, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("Grüße\nAnna\n")

    piped = ctl(served, "sms", "send", BERLIN, "-", stdin="Hello\nthere\n")
    read = ctl(served, "sms", "send", BERLIN, HAMBURG, "--file", str(tmp_path / "text"))

    assert (piped.exit_code, read.exit_code) == (0, 0)
    assert [each["body"] for each in jobs(served)] == ["Grüße\nAnna", "Grüße\nAnna", "Hello\nthere"]
    assert {each["to"] for each in jobs(served)} == {BERLIN, HAMBURG}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["sms", "send", BERLIN], "Say what to send"),
        (["sms", "send", BERLIN, HAMBURG], "looks like a number"),
        (["sms", "send", BERLIN, "--body", "x", "--template", "y"], "Give the text once"),
        (["sms", "send", BERLIN, "--file", "/nowhere/text"], "can't be read"),
        (["sms", "send", BERLIN, "x", "--extra", "y"], "Write NAME=VALUE"),
        (["voice", "connect", BERLIN, HAMBURG, SINGAPORE], "dialerctl voice conference"),
        (["numbers", "configure", SINGAPORE], "Say what is to change"),
        (["fax", "send", BERLIN, "/nowhere/a.pdf"], "can't be read"),
    ],
)
def test_wrong_use_is_told_and_sends_nothing(served: ProvidersServed, words: list[str], why: str) -> None:
    result = ctl(served, *words)

    assert result.exit_code == 2
    assert why in " ".join(result.stderr.split())
    assert jobs(served) == []


def test_steps_are_read_from_a_file(served: ProvidersServed, tmp_path: Path) -> None:
    (tmp_path / "steps.json").write_text(
        '[{"gather": {"message": "Press 1.", "max_digits": 1}}, {"hangup": ""}]'
    )

    found = made(
        served, "ivr", "dial", BERLIN, "--message", "Hello.", "--steps", str(tmp_path / "steps.json")
    )

    assert (found["message"], found["steps"][0]["gather"]["max_digits"]) == ("Hello.", 1)


@pytest.mark.parametrize("text", ["{", "{}"])
def test_steps_that_are_no_list_are_told(served: ProvidersServed, text: str) -> None:
    result = ctl(served, "ivr", "dial", BERLIN, "--steps", "-", stdin=text)

    assert result.exit_code == 2
    assert jobs(served) == []


def test_an_order_that_several_could_take_names_its_provider(served: ProvidersServed) -> None:
    result = ctl(served, "numbers", "buy", SINGAPORE)

    assert (result.exit_code, jobs(served)) == (1, [])
    assert "Say which provider is to do numbers.buy: hoiio, flowroute." in result.stderr


def test_a_mistake_in_a_job_is_told_and_exits_65(served: ProvidersServed) -> None:
    result = ctl(served, "sms", "send", "nobody", "Hello", "--priority", "77")

    assert result.exit_code == 65
    assert {line.split(":")[1].strip() for line in result.stderr.splitlines()} == {"to", "priority"}


def test_an_accepted_job_is_told_and_so_is_a_repeat(served: ProvidersServed) -> None:
    first = ctl(served, "sms", "send", BERLIN, "Hello", "--key", "k")
    again = ctl(served, "sms", "send", BERLIN, "Hello", "--key", "k")
    order = ctl(served, "numbers", "release", "+12065550100")

    assert first.stdout.endswith(f"to {BERLIN}: queued\n")
    assert again.stdout.startswith("there already under this key: job ")
    assert order.stdout.endswith("to +12065550100: queued\n")


def test_wait_follows_the_job_and_says_how_it_ended(served: ProvidersServed) -> None:
    ended_soon(served, Disposition.FAILED)

    result = ctl(served, "sms", "send", BERLIN, "Hello", "--wait", "--timeout", "30")

    assert result.exit_code == 13
    assert result.stdout.endswith(f"to {BERLIN}: failed (failed)\n")


def pdf(folder: Path) -> Path:
    """A file that is a PDF as far as its beginning goes."""
    (folder / "contract.pdf").write_bytes(b"%PDF-1.7\n%%EOF\n")
    return folder / "contract.pdf"


def test_a_fax_is_uploaded_and_named(served: ProvidersServed, tmp_path: Path) -> None:
    result = ctl(served, "fax", "send", BERLIN, HAMBURG, str(pdf(tmp_path)), "--header", "ACME", "--json")

    assert result.exit_code == 0, result.output
    hamburg, berlin = jobs(served)
    assert (hamburg["to"], berlin["to"]) == (HAMBURG, BERLIN)
    assert (berlin["kind"], berlin["filename"], berlin["header"]) == ("fax", "contract.pdf", "ACME")
    assert (berlin["size"], berlin["media_type"]) == (15, "application/pdf")
    assert berlin["document"] == hamburg["document"]


def test_what_is_no_document_is_refused(served: ProvidersServed) -> None:
    result = ctl(served, "fax", "send", BERLIN, "-", stdin="Hello")

    assert (result.exit_code, jobs(served)) == (65, [])
    assert "neither PDF nor TIFF" in result.stderr


def test_a_fax_may_have_no_header_line(tmp_path: Path) -> None:
    with Recording(tmp_path / "s") as recording:
        ctl(recording, "fax", "send", BERLIN, str(pdf(tmp_path)), "--header", "")  # type: ignore[arg-type]

    assert recording.job["header"] == ""


def test_a_fax_from_standard_input_has_no_name(tmp_path: Path) -> None:
    with Recording(tmp_path / "s") as recording:
        ctl(recording, "fax", "send", BERLIN, "-", stdin=b"%PDF-1.7\n")  # type: ignore[arg-type]

    assert recording.job == {"kind": "fax", "to": BERLIN, "document": DOCUMENT}
