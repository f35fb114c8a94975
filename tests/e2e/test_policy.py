"""What keeps calls within bounds: fuse, breaker, the next trunk, urgent calls, stop lists."""

import json

import pytest

from tests.e2e.lines import dialled, line, status, trunks, with_lines
from tests.waiting import until

CALL = {"context": "job", "extension": "hangup"}
TALK = {"application": "Wait", "data": "0.3"}
AFTER = {
    "01": [("first", "BUSY")],
    "02": [("first", "NOANSWER")],
    "04": [("first", "FAILED")],
    "05": [("first", "FAILED")],
    "03": [("first", "CONGESTION"), ("second", "CONGESTION")],
}
"""By the far end: busy, no answer, no such number, rejected; and no way free, where the next is tried."""


@pytest.fixture
def start(asterisk, make_daemon):
    """Starts a daemon with these sections on the shared Asterisk."""

    def start(**settings):
        return make_daemon(with_lines(asterisk), {"trunks.sim": {"public": False}, **settings}).start()

    return start


def numbers(area, count, far_end="06"):
    """So many numbers of an area of Berlin that no other test calls."""
    return [f"+4930{area}{place:02}{far_end}" for place in range(count)]


def submit_all(daemon, to, call=CALL, **job):
    """A job for each number; their ids, in this order."""
    return [daemon.submit(to=number, **call, **job)["id"] for number in to]


def attempts(job):
    return [(each["trunk"], each["disposition"]) for each in job["attempts"]]


def calls_to(asterisk, to, line=""):
    """How often Asterisk called these numbers, by its own records."""
    calls = dialled(asterisk, line)
    return [calls[number] for number in to]


def test_a_trunk_that_spends_too_fast_is_paused_by_its_fuse_until_somebody_resumes_it(
    start, asterisk, open_folder
):
    (open_folder / "rates.csv").write_text("prefix,per_minute\n+49,1.00\n")
    daemon = start(
        **{
            "trunks.costly": line("line-a", max_channels=1),
            "caps": {"currency": "EUR", "rates": str(open_folder / "rates.csv")},
            "caps.fuse": {"spend": "2.00"},
        }
    )
    to = numbers("5100", 4)
    jobs = submit_all(daemon, to, TALK, trunk="costly")
    until(lambda: trunks(daemon)["costly"]["paused"], 30)
    called = sum(calls_to(asterisk, to))
    shown, told = daemon.ctl("trunks").stdout, daemon.ctl("status").stdout
    resumed = daemon.ctl("resume", "costly")
    ended = [daemon.ended(job)["state"] for job in jobs]
    assert called == 3
    assert "paused" in shown
    assert "the fuse has blown: 3.00 were spent within 10 minutes, of 2.00 at most" in shown
    assert "fuse" in told
    assert resumed.returncode == 0, resumed.stderr
    assert ended == ["completed"] * 4
    assert calls_to(asterisk, to) == [1] * 4


def test_calls_to_many_new_areas_blow_the_fuse(start, asterisk):
    daemon = start(**{"trunks.roaming": line("line-a", max_channels=1), "caps.fuse": {"new_areas": 2}})
    to = ["+4930520006", "+4940123406", "+4989123406", "+49221123406"]
    jobs = submit_all(daemon, to, trunk="roaming")
    until(lambda: trunks(daemon)["roaming"]["paused"], 30)
    until(lambda: status(daemon)["jobs"].get("completed") == 3)
    called = calls_to(asterisk, to)
    why = trunks(daemon)["roaming"]["why"]
    daemon.ctl("resume", "roaming")
    ended = [daemon.ended(job)["state"] for job in jobs]
    assert called == [1, 1, 1, 0]
    assert "3 areas were called that never were before" in why
    assert ended == ["completed"] * 4


def test_a_blown_fuse_outlives_a_kill(start, asterisk):
    daemon = start(**{"trunks.roaming": line("line-a", max_channels=1), "caps.fuse": {"new_areas": 1}})
    to = ["+4930520106", "+4940123506", "+4989123506"]
    jobs = submit_all(daemon, to, trunk="roaming")
    until(lambda: trunks(daemon)["roaming"]["paused"], 30)
    daemon.kill()
    daemon.start()
    paused = trunks(daemon)["roaming"]["paused"]
    other = daemon.ended(daemon.submit(to="106", trunk="sim", **CALL)["id"])
    waiting = daemon.job(jobs[2])["state"]
    assert paused
    assert other["state"] == "completed"
    assert waiting == "queued"
    assert calls_to(asterisk, to)[2] == 0


def test_a_broken_trunk_is_left_alone_for_the_next_one_and_taken_up_again_once_it_works(start, asterisk):
    daemon = start(
        **{
            "trunks.first": line("line-mended"),
            "trunks.second": line("line-b"),
            "[routes]": {"destinations": ["DE"], "trunks": ["first", "second"]},
        }
    )
    to = numbers("5300", 7)
    broken = [daemon.ended(job) for job in submit_all(daemon, to[:5])]
    opened = trunks(daemon)["first"]
    shown = daemon.ctl("trunks").stdout
    spared = daemon.ended(daemon.submit(to=to[5], **CALL)["id"])
    asterisk.add_dialplan("[line-mended]\nexten => _X.,1,Goto(sim,${EXTEN},1)")
    until(lambda: trunks(daemon)["first"]["breaker"] == "half-open", 40)
    probe = daemon.ended(daemon.submit(to=to[6], **CALL)["id"])
    closed = trunks(daemon)["first"]["breaker"]
    assert {tuple(attempts(job)) for job in broken} == {(("first", "CHANUNAVAIL"), ("second", "ANSWERED"))}
    assert opened["breaker"] == "open"
    assert "out of order" in shown
    assert attempts(spared) == [("second", "ANSWERED")]
    assert attempts(probe) == [("first", "ANSWERED")]
    assert closed == "closed"
    assert calls_to(asterisk, to, "line-b") == [1] * 6 + [0]
    assert calls_to(asterisk, to, "line-mended") == [0] * 6 + [1]


def test_the_next_trunk_is_tried_only_where_no_phone_rang(start, asterisk):
    daemon = start(
        **{
            "trunks.first": line("line-a"),
            "trunks.second": line("line-b"),
            "[routes]": {"destinations": ["DE"], "trunks": ["first", "second"]},
        }
    )
    to = {"+493054000" + end: trunks for end, trunks in AFTER.items()}
    ended = {number: daemon.submit(to=number, wait_time=1, **CALL)["id"] for number in to}
    tried = {number: attempts(daemon.ended(job)) for number, job in ended.items()}
    calls = {
        number: [calls_to(asterisk, [number], each)[0] for each in ("line-a", "line-b")] for number in to
    }
    assert tried == to
    assert calls == {number: [1, len(trunks) - 1] for number, trunks in to.items()}


def test_an_urgent_call_does_not_wait_behind_thousands_of_others(start, asterisk):
    daemon = start(**{"trunks.thin": line("line-a", max_channels=2)})
    many = "".join(
        json.dumps({"to": f"+493055{place:04}06", "trunk": "thin", "key": f"{place}", **TALK}) + "\n"
        for place in range(3000)
    )
    accepted = daemon.ctl("submit", "-", "--format", "ndjson", "--batch", "many", text=many)
    until(lambda: daemon.request("GET", "/v1/batches/many")[1]["states"].get("completed", 0) > 3, 30)
    urgent = daemon.submit(to="+4930560006", trunk="thin", priority=9, **CALL)
    before = _in_order(asterisk)
    ended = daemon.ended(urgent["id"])
    daemon.ctl("batch", "cancel", "many", "--yes")
    until(lambda: not daemon.request("GET", "/v1/batches/many")[1]["states"].get("queued"), 30)
    order = _in_order(asterisk)
    assert accepted.stdout == "3000 accepted.\n"
    assert ended["state"] == "completed"
    assert order.index("4930560006") <= len(before) + 4


def _in_order(asterisk):
    """The numbers whose calls are over, in the order in which Asterisk made their channels."""
    rows = sorted(asterisk.cdr_rows(), key=lambda row: int(row["uniqueid"].partition(".")[2]))
    calls = dict.fromkeys(row["channel"].partition(";")[0] for row in rows if "@line-a" in row["channel"])
    return [
        call.removeprefix("Local/").partition("@")[0]
        for call in calls
        if "/493055" in call or "/493056" in call
    ]


def test_what_a_cap_is_against_waits_for_the_next_day_and_says_so(start, asterisk):
    daemon = start(**{"trunks.provider": line("line-a"), "caps.owner": {"calls_per_day": 2}})
    to = numbers("5900", 4)
    ended = [daemon.ended(job)["state"] for job in submit_all(daemon, to[:2], trunk="provider")]
    (third,) = submit_all(daemon, to[2:3], trunk="provider")
    until(lambda: daemon.job(third).get("reason"))
    shown = daemon.ctl("show", third).stdout
    rows = f"to,trunk,play\n{to[3]},provider,hello-world\n"
    foreseen = daemon.ctl("submit", "-", "--format", "csv", "--dry-run", text=rows)
    assert ended == ["completed"] * 2
    assert daemon.job(third)["state"] == "queued"
    assert "has made 2 calls today, of 2 at most" in shown
    assert foreseen.stdout.startswith("1 row: 1 over a cap until ")
    assert calls_to(asterisk, to) == [1, 1, 0, 0]


def test_the_preflight_tells_what_a_pause_holds_back(start):
    daemon = start(**{"trunks.provider": line("line-a")})
    daemon.ctl("pause", "provider", "--reason", "bill")
    rows = "to,trunk,play\n+49306000006,provider,hello-world\n106,sim,hello-world\n"
    foreseen = daemon.ctl("submit", "-", "--format", "csv", "--dry-run", text=rows)
    assert foreseen.stdout.startswith("2 rows: 1 now, 1 paused")


def test_a_number_that_is_stopped_while_its_job_waits_is_not_called(start, asterisk):
    daemon = start(**{"trunks.provider": line("line-a")})
    (to,) = numbers("5700", 1)
    daemon.ctl("pause", "provider")
    job = daemon.submit(to=to, trunk="provider", **CALL)
    added = daemon.ctl("dnc", "add", to, "--reason", "letter of 1 May")
    daemon.ctl("resume", "provider")
    ended = daemon.ended(job["id"])
    assert added.returncode == 0, added.stderr
    assert ended["state"] == "failed"
    assert ended["reason"] == f"{to} is on the do-not-call list opt-out: asked not to be called"
    assert ended["attempts"] == []
    assert calls_to(asterisk, [to]) == [0]


def test_who_says_never_again_in_a_call_is_never_called_again(start, asterisk):
    daemon = start(**{"trunks.provider": line("line-a")})
    (to,) = numbers("5800", 1)
    job = daemon.ended(daemon.submit(to=to, trunk="provider", context="line-bye")["id"])
    checked = daemon.ctl("dnc", "check", to)
    refused = daemon.ctl("call", to, "--trunk", "provider", "--play", "hello-world")
    assert job["state"] == "completed"
    assert (checked.returncode, refused.returncode) == (1, 65)
    assert "pressed 9" in checked.stdout
    assert "is on the do-not-call list opt-out" in refused.stderr
    assert calls_to(asterisk, [to]) == [1]
