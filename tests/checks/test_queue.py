"""The queue, ways out, stop lists and sinks."""

import os
import re
import time
from pathlib import Path

from dialerd.checks import queue
from dialerd.core.destinations import Destinations
from dialerd.core.findings import Verdict, error, ok, warning
from dialerd.core.policy import Rules, Trunk

NOWHERE, GERMANY = Destinations.parse(()), Destinations.parse(("DE", "!+49180"))
PSTN = Trunk("pstn", "PJSIP/{digits}@pstn")


def rules(*trunks: Trunk, destinations: Destinations = GERMANY) -> Rules:
    return Rules(trunks={each.name: each for each in trunks}, destinations=destinations)


def test_what_the_daemon_complains_of_is_a_warning() -> None:
    found = list(queue.own_words({"version": "1.0", "problems": ["The disk is nearly full."]}))

    assert [(each.verdict, each.found) for each in found] == [(Verdict.WARNING, "The disk is nearly full.")]


def test_what_a_check_says_too_is_told_once() -> None:
    found = queue.without_repeats(
        [
            warning("daemon", "AMI: nothing listens at 127.0.0.1:5038."),
            warning("daemon", "Calls wait for the disk."),
            error("ami", "Nothing listens at 127.0.0.1:5038."),
        ]
    )

    assert [each.name for each in found] == ["daemon", "ami"]
    assert found[0].found == "Calls wait for the disk."


def test_held_jobs_are_a_note_with_the_command() -> None:
    (found,) = queue.waiting({"held": 2, "queued": 9}, [])

    assert (found.verdict, found.found) == (Verdict.NOTE, "2 jobs wait for a person (held).")
    assert "dialerctl list --state held" in found.todo


def test_stuck_jobs_are_a_warning_with_the_command() -> None:
    said = "3 jobs have been held for more than 1d: dialerctl list --state held"

    found = list(queue.waiting({}, [said]))

    assert [(each.verdict, each.todo) for each in found] == [
        (Verdict.WARNING, "Run: dialerctl list --state held")
    ]


def test_a_trunk_without_any_destination_is_a_warning() -> None:
    (found,) = queue.trunks(rules(PSTN, destinations=NOWHERE), [])

    assert found.verdict is Verdict.WARNING
    assert "pstn" in found.found
    assert "destinations" in found.todo


def test_a_trunk_of_extensions_needs_no_destination() -> None:
    inside = Trunk("inside", "Local/{digits}@in", extensions=re.compile("1.."))

    assert [each.verdict for each in queue.trunks(rules(inside, destinations=NOWHERE), [])] == [Verdict.OK]


def test_a_trunks_own_destinations_count() -> None:
    own = Trunk("own", "PJSIP/{digits}@own", destinations=GERMANY)
    denied = Trunk("denied", "PJSIP/{digits}@own", destinations=NOWHERE)

    found = list(queue.trunks(rules(own, denied, destinations=GERMANY), []))

    assert ["denied" in each.found for each in found] == [True]


def test_no_way_out_at_all_is_a_warning() -> None:
    assert [each.verdict for each in queue.trunks(Rules(), [])] == [Verdict.WARNING]


def test_a_trunk_that_rests_or_is_paused_is_told_of() -> None:
    lines = [{"name": "pstn", "paused": True, "trouble": "paused by uid 0: lunch"}, {"name": "other"}]

    (found,) = queue.trunks(rules(PSTN), lines)

    assert (found.found, found.todo) == ("Trunk pstn: paused by uid 0: lunch.", "dialerctl resume pstn")


def test_a_blown_fuse_is_looked_into_before_it_is_resumed() -> None:
    lines = [{"name": "pstn", "paused": True, "trouble": "paused by its fuse at noon: it spent too much"}]

    (found,) = queue.trunks(rules(PSTN), lines)

    assert found.todo.startswith("Find out who called: dialerctl list")
    assert found.todo.endswith("dialerctl resume pstn.")


def test_a_trunk_that_rests_while_all_is_paused_is_not_to_be_resumed_by_its_name() -> None:
    lines = [{"name": "pstn", "paused": True, "trouble": "it refused all that it was given"}]

    (found,) = queue.trunks(rules(PSTN), lines)

    assert "resume" not in found.todo


def test_a_pause_of_everything_is_told_with_the_command_that_ends_it() -> None:
    (found,) = queue.own_words({"version": "1.0", "problems": ["Everything is paused by uid 0 at noon."]})

    assert (found.verdict, found.todo) == (Verdict.WARNING, "dialerctl resume all")


def test_a_cause_that_a_check_found_stands_for_what_the_daemon_sees_of_it() -> None:
    complaint = warning("daemon", "The disk is nearly full: nothing is accepted until there is room.")
    cause, other = error("disk", "The disk of the spool has 1 MB free."), ok("disk", "The disk is large.")

    assert queue.without_repeats([complaint, cause]) == [cause]
    assert queue.without_repeats([complaint, other]) == [complaint, other]


def test_an_ami_that_nobody_listens_for_is_told_once() -> None:
    found = queue.without_repeats(
        [
            warning("daemon", "AMI: nothing listens at 127.0.0.1:5038: is Asterisk running?"),
            error("ami", "Nothing listens at 127.0.0.1:5038."),
        ]
    )

    assert [each.name for each in found] == ["ami"]


def test_a_stop_list_that_nobody_has_touched_for_long_is_a_note(tmp_path: Path) -> None:
    old, own = tmp_path / "old.csv", tmp_path / "own.txt"
    for path in (old, own):
        path.touch()
        os.utime(path, (0, time.time() - queue.OLD_LIST_S - 86400))

    found = list(queue.stop_lists([("customers", old, False), ("opt-out", own, True)], []))

    assert [(each.verdict, "customers" in each.found) for each in found] == [
        (Verdict.NOTE, True),
        (Verdict.OK, True),
    ]


def test_a_stop_list_with_mistakes_is_an_error() -> None:
    found = list(queue.stop_lists([], ["The stop list customers was not read anew."]))

    assert [each.verdict for each in found] == [Verdict.ERROR]


def test_sinks_that_fail_or_have_dead_reports_are_warnings() -> None:
    figures = {
        "webhooks.crm": {"pending": 7, "dead": 0, "delivered": 1, "failing": "it answers 500"},
        "webhooks.old": {"pending": 0, "dead": 3, "delivered": 1},
        "results": {"pending": 0, "dead": 0, "delivered": 9},
    }

    found = list(queue.sinks(figures))

    assert [each.verdict for each in found] == [Verdict.WARNING, Verdict.WARNING, Verdict.OK]
    assert "it answers 500" in found[0].found
    assert found[2] == ok("reports", "Reports reach results.")
