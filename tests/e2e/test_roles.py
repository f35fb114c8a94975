"""Roles of real users, by the kernel's word: what members and operators may, and whose a dropped file is."""

import json
import os
import subprocess

import pytest

from tests.daemon import Daemon
from tests.e2e.lines import line, with_lines
from tests.users import ROOT
from tests.waiting import until

pytestmark = pytest.mark.skipif(not ROOT, reason="needs root, to be several users")

ANNA, BEN, OPERATOR, AUDITOR, STRANGER = 43001, 43002, 43003, 43004, 43005
CALL = {"context": "job", "extension": "s"}


@pytest.fixture(scope="module")
def daemon(asterisk):
    """A running daemon with members, an operator, an auditor and somebody who is shut out."""
    settings = {
        "calls": {"applications": ["Playback"], "contexts": ["job"], "channels": [], "functions": []},
        "trunks.provider": line("line-a"),
        "trunks.gold": line("line-b"),
        "roles.member": {"trunks": ["sim", "provider"]},
        "roles.operators": {
            "users": [OPERATOR],
            "may": ["submit", "operate"],
            "applications": ["Playback", "Wait"],
            "max_priority": 9,
        },
        "roles.auditors": {"users": [AUDITOR], "may": "view-all"},
        "roles.nobody": {"users": [STRANGER], "may": []},
    }
    daemon = Daemon(with_lines(asterisk), settings)
    try:
        yield daemon.start()
    finally:
        daemon.remove()


def ctl(daemon, uid, *arguments):
    """Runs dialerctl as this user, who is in no other group than his own."""
    who = ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--"]
    return subprocess.run(
        [*who, *daemon.ctl_command(), *arguments],
        env=daemon.ctl_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def called(daemon, uid, *arguments):
    """The job that this user has made, as JSON; the options are those of `dialerctl call`."""
    done = ctl(daemon, uid, "--json", "call", "106", "--trunk", "sim", "--play", "hello-world", *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[0])


def listed(daemon, uid):
    return {json.loads(each)["id"] for each in ctl(daemon, uid, "--json", "list").stdout.splitlines()}


def test_members_see_their_own_jobs_and_nobody_elses(daemon):
    annas, bens = called(daemon, ANNA)["id"], called(daemon, BEN)["id"]
    shown = ctl(daemon, BEN, "show", annas)
    cancelled = ctl(daemon, BEN, "cancel", annas)
    assert {annas, bens} & listed(daemon, ANNA) == {annas}
    assert {annas, bens} & listed(daemon, BEN) == {bens}
    assert {annas, bens} <= listed(daemon, OPERATOR) == listed(daemon, AUDITOR)
    assert (shown.returncode, cancelled.returncode) == (1, 1)


def test_what_only_operators_may_use_members_may_not(daemon):
    wait = ("call", "106", "--trunk", "sim", "--application", "Wait", "--data", "0")
    members, operators = ctl(daemon, ANNA, *wait), ctl(daemon, OPERATOR, *wait)
    assert members.returncode == 65
    assert "'Wait' is not allowed" in members.stderr
    assert operators.returncode == 0, operators.stderr


def test_a_high_priority_and_a_trunk_that_a_role_may_not_use_are_refused_by_rule(daemon):
    urgent = ctl(daemon, ANNA, "call", "106", "--trunk", "sim", "--play", "hello-world", "--priority", "9")
    gold = ctl(daemon, ANNA, "call", "+4930730006", "--trunk", "gold", "--play", "hello-world")
    operators = ctl(
        daemon, OPERATOR, "call", "106", "--trunk", "sim", "--play", "hello-world", "--priority", "9"
    )
    assert (urgent.returncode, gold.returncode) == (65, 65)
    assert "priority" in urgent.stderr
    assert "may not use trunk 'gold'" in gold.stderr
    assert operators.returncode == 0, operators.stderr


def test_members_may_not_stop_everything_nor_change_a_stop_list_and_auditors_only_look(daemon):
    paused = ctl(daemon, ANNA, "pause", "all")
    added = ctl(daemon, ANNA, "dnc", "add", "+4930730106")
    looked = ctl(daemon, AUDITOR, "status")
    submitted = ctl(daemon, AUDITOR, "call", "106", "--trunk", "sim", "--play", "hello-world")
    operators = ctl(daemon, OPERATOR, "dnc", "add", "+4930730106")
    assert {paused.returncode, added.returncode, submitted.returncode} == {77}
    assert "operate" in paused.stderr
    assert looked.returncode == operators.returncode == 0


def test_who_has_no_rights_may_do_nothing_and_is_told_why(daemon):
    done = ctl(daemon, STRANGER, "call", "106", "--trunk", "sim", "--play", "hello-world")
    whoami = json.loads(ctl(daemon, STRANGER, "--json", "whoami").stdout)
    assert done.returncode == 77
    assert "nobody" in done.stderr
    assert whoami["rights"] == []


def test_a_dropped_file_has_its_owners_role(daemon):
    for uid in (ANNA, OPERATOR):
        job = {"to": "106", "trunk": "sim", "application": "Wait", "data": "0", "account": str(uid)}
        path = daemon.drop / f".{uid}.json"
        path.write_text(json.dumps(job))
        os.chown(path, uid, uid)
        path.chmod(0o644)
        path.rename(daemon.drop / f"{uid}.json")
    refused = daemon.rejected / f"{ANNA}.json.reason"
    until(refused.exists)
    reason = refused.read_text()
    dropped = until(lambda: [job for job in daemon.jobs() if job.get("account")])
    assert "'Wait' is not allowed" in reason
    assert [(job["account"], job["owner"]) for job in dropped] == [(str(OPERATOR), OPERATOR)]
