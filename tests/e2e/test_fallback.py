"""What one way out can't take goes to the next one by rule, and what is in doubt goes nowhere: judged by the
providers' own logs and Asterisk's call records."""

import os
from collections import Counter

import pytest

from tests.e2e.clouds import (
    NOT_SERVED,
    REFUSED,
    SAY,
    SMS,
    callback_of,
    in_state,
    providers,
    reference_of,
    routes,
    tell_signed,
)
from tests.e2e.lines import line
from tests.e2e.test_outages import ami_is
from tests.ports import free_port
from tests.providers.cloud import CLOSED, HALF_A_BODY, HANGS, HTML, NO_HTTP, RESET, Says, says
from tests.waiting import until

NOTHING_DONE = {
    "busy": says({"code": 20429}, 429),
    "bill": says({}, 402),
    "secret": says({"code": 20003}, 401),
    "abroad": NOT_SERVED,
}
MAYBE_DONE = {
    "closes": CLOSED,
    "resets": RESET,
    "hangs": HANGS,
    "half": HALF_A_BODY,
    "mail": NO_HTTP,
    "html": Says(200, HTML),
    "error": says({"status": "queued"}, 500),
    "gateway": Says(503, HTML),
    "no-id": says({"status": "queued"}, 201),
    "redirects": Says(302, b"", (("Location", "https://localhost/"),)),
}


def with_spare(clouds, answers):
    """A daemon with an account for each answer, a good one behind them all, and a route for each, by tag."""
    clouds.of |= answers
    accounts = [clouds.account(name, timeout="2s") for name in answers]
    ways = [{"kinds": ["sms", "call"], "tags": [name], "ways": [name, "good"]} for name in answers]
    return clouds.daemon(*accounts, clouds.account("good"), **routes(*ways))


def submit_each(daemon, names):
    """A message for each route."""
    return {name: daemon.submit(**SMS, tags=[name])["id"] for name in names}


def way_of(job):
    return [(each["provider"], "ref" in each) for each in job["attempts"]]


def test_the_next_provider_is_tried_at_once_where_certainly_nothing_was_done(clouds):
    daemon = with_spare(clouds, NOTHING_DONE)
    daemon.settings |= clouds.account("gone", base_url=f"https://localhost:{free_port()}")
    daemon.settings |= routes(
        *({"kinds": ["sms"], "tags": [name], "ways": [name, "good"]} for name in (*NOTHING_DONE, "gone"))
    )
    daemon.write_config()
    jobs = submit_each(daemon.start(), [*NOTHING_DONE, "gone"])
    for job in jobs.values():
        until(in_state(daemon, job, "submitted"), 30)
    tried = {name: way_of(daemon.job(job)) for name, job in jobs.items()}
    stand = providers(daemon)
    assert tried == {name: [(name, False), ("good", True)] for name in jobs}
    assert {name: len(clouds.sent(name)) for name in jobs} == dict.fromkeys(NOTHING_DONE, 1) | {"gone": 0}
    assert clouds.references("good") == Counter(f"{job}.2" for job in jobs.values())
    assert [name for name in jobs if stand[name]["refused"]] == ["bill", "secret"]


def test_what_may_have_been_done_is_held_and_never_goes_to_the_next_provider(clouds):
    daemon = with_spare(clouds, MAYBE_DONE).start()
    jobs = submit_each(daemon, MAYBE_DONE)
    held = {name: daemon.ended(job, 30) for name, job in jobs.items()}
    assert {name: job["state"] for name, job in held.items()} == dict.fromkeys(jobs, "held")
    assert all(job["reason"] and job["attempt_count"] == 1 for job in held.values())
    assert {name: len(clouds.sent(name)) for name in jobs} == dict.fromkeys(jobs, 1)
    assert clouds.asked("good") == []


def test_what_is_refused_fails_and_goes_to_no_other_provider(clouds):
    daemon = with_spare(clouds, {"strict": REFUSED}).start()
    job = daemon.ended(submit_each(daemon, ["strict"])["strict"])
    assert job["state"] == "failed"
    assert "unsubscribed" in job["reason"]
    assert clouds.asked("good") == []


def test_a_provider_that_refuses_the_account_is_skipped_from_then_on_and_shown(clouds):
    daemon = with_spare(clouds, {"bill": says({"message": "Pay first"}, 402)}).start()
    for _ in range(3):
        until(in_state(daemon, daemon.submit(**SMS, tags=["bill"])["id"], "submitted"), 30)
    shown = daemon.ctl("providers", "list").stdout
    assert (len(clouds.sent("bill")), len(clouds.sent("good"))) == (1, 3)
    assert providers(daemon)["bill"]["breaker"] == "open"
    assert "bill" in shown
    assert "refused" in shown


def test_where_all_are_out_a_message_is_tried_again_later_and_sent_once(clouds):
    answers = dict.fromkeys(("one", "two"), says({}, 429))
    clouds.of |= answers
    both = {"kinds": ["sms"], "ways": list(answers)}
    daemon = clouds.daemon(*map(clouds.account, answers), **routes(both)).start()
    job = daemon.submit(**SMS)
    until(in_state(daemon, job["id"], "deferred"), 30)
    until(lambda: daemon.job(job["id"]).get("not_before"), 30)
    tried = [len(clouds.sent(name)) for name in answers]
    clouds.of["one"] = clouds.of["two"] = says({"sid": "SM1", "status": "queued"}, 201)
    until(in_state(daemon, job["id"], "submitted"), 40)
    assert tried == [1, 1]
    assert [len(clouds.sent(name)) for name in answers] == [2, 1]
    assert set(clouds.references().values()) == {1}


CALLED = {"public": False}
OVER = {"CallStatus": "completed", "CallDuration": "7"}
BY_BOTH = {"kinds": ["call"], "ways": ["line", "one"]}


def with_line(clouds, asterisk):
    """A daemon whose calls go by Asterisk, and where that can't, by a provider."""
    to_line = {"trunks.line": line("sim"), "trunks.sim": CALLED}
    return clouds.daemon(clouds.account("one"), spool=asterisk, **to_line, **routes(BY_BOTH))


def test_a_call_goes_to_a_provider_once_where_asterisk_is_down(clouds, make_asterisk):
    asterisk = make_asterisk()
    daemon = with_line(clouds, asterisk).start()
    until(ami_is(daemon, "down"), 30)
    job = daemon.submit(**SAY, play="hello-world")
    until(in_state(daemon, job["id"], "submitted"), 30)
    (seen,) = clouds.sent()
    tell_signed(daemon, callback_of(seen), CallSid=daemon.job(job["id"])["attempts"][-1]["ref"], **OVER)
    ended = daemon.job(job["id"])
    assert (ended["state"], ended["disposition"]) == ("completed", "ANSWERED")
    assert dict(seen.form)["Twiml"].startswith("<")
    assert os.listdir(asterisk.outgoing) == []


def test_a_call_goes_to_no_provider_as_long_as_asterisk_takes_it(clouds, asterisk):
    daemon = with_line(clouds, asterisk).start()
    job = daemon.ended(daemon.submit(**SAY | {"to": "+4930123406"}, play="hello-world")["id"], 30)
    assert (job["state"], job["attempts"][0]["trunk"]) == ("completed", "line")
    assert clouds.asked() == []


@pytest.mark.parametrize("begun", [False, True])
def test_a_call_goes_from_a_dying_asterisk_to_a_provider_only_if_it_was_not_begun(
    clouds, own_asterisk, begun
):
    daemon = with_line(clouds, own_asterisk).start()
    until(ami_is(daemon, "up"), 30)
    if not begun:
        own_asterisk.freeze()
    job = daemon.submit(**SAY | {"to": "+4930123400"}, application="Wait", data="60", account="fall")
    until(in_state(daemon, job["id"], "submitted"), 30)
    if begun:
        until(lambda: own_asterisk.cli("core show channels concise").strip(), 30)
        own_asterisk.kill()
    until(ami_is(daemon, "down"), 40)
    if not begun:
        until(clouds.sent, 40)
        until(in_state(daemon, job["id"], "submitted"), 30)
        own_asterisk.thaw()
    else:
        own_asterisk.start()
        until(in_state(daemon, job["id"], "held"), 40)
    calls = own_asterisk.calls_made("fall")
    assert [reference_of(seen) for seen in clouds.sent()] == ([] if begun else [f"{job['id']}.2"])
    assert begun or calls == 0
