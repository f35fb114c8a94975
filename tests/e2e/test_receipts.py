"""Receipts: those that are signed are believed, the others only make dialerd ask, and where none comes it
asks by itself."""

import pytest

from tests.e2e.clouds import (
    SMS,
    callback_of,
    events,
    in_state,
    reference_of,
    signature,
    tell,
    tell_signed,
)
from tests.providers.cloud import HANGS, RESET
from tests.waiting import until

SID = "SM" + "0" * 32


@pytest.fixture
def start(clouds):
    """Starts a daemon with an account of this type, and sends a message by it."""

    def start(type="twilio", **settings):
        account = clouds.account("one", type, requests_per_minute=6000)
        daemon = clouds.daemon(account, **settings).start()
        job = daemon.submit(**SMS)
        until(in_state(daemon, job["id"], "submitted"), 30)
        return daemon, job["id"], callback_of(clouds.sent()[0])

    return start


def looks(clouds):
    return [seen for seen in clouds.asked() if "query_status" in seen.path or seen.method == "GET"]


def words(daemon, job):
    return [event["data"].get("word") for event in events(daemon, job) if event["type"] == "receipt"]


def test_signed_receipts_are_believed_in_any_order_and_repeated_without_harm(start, clouds):
    daemon, job, address = start()
    for word in ("sending", "delivered", "sent", "delivered", "queued", "undelivered"):
        assert tell_signed(daemon, address, MessageSid=SID, MessageStatus=word)[0] == 200
    ended = daemon.job(job)
    ends = [event["type"] for event in events(daemon, job) if event["type"] in ("completed", "failed")]
    assert (ended["state"], ended["disposition"]) == ("completed", "DELIVERED")
    assert ends == ["completed"]
    assert len(clouds.asked()) == 1


@pytest.mark.parametrize("secret", ["another", ""])
def test_a_forged_receipt_is_turned_away_and_changes_nothing(start, clouds, secret):
    daemon, job, address = start()
    form = {"MessageSid": SID, "MessageStatus": "failed"}
    signed = signature(address, form, secret) if secret else {}
    before = events(daemon, job)
    status, _ = tell(daemon, address, form, headers=signed)
    assert status == 403
    assert daemon.job(job)["state"] == "submitted"
    assert events(daemon, job) == before
    assert len(clouds.asked()) == 1


def test_who_does_not_know_the_address_learns_nothing(start, clouds):
    daemon, job, address = start()
    form = {"MessageSid": SID, "MessageStatus": "failed"}
    token = address.partition("?")[0].rpartition("/")[2]
    guesses = [address.replace(token, "0" * len(token)), address.replace("/one/", "/two/"), "/", "/one"]
    answers = {tell(daemon, guess, form, headers=signature(guess, form)) for guess in guesses}
    assert len(answers) == 1
    assert answers.pop()[0] == 404
    assert daemon.job(job)["state"] == "submitted"


def test_a_receipt_that_nobody_signed_only_makes_dialerd_ask(start, clouds):
    daemon, job, address = start("hoiio")
    told = {"txn_ref": "TX-0", "sms_status": "delivered", "dest": SMS["to"]}
    first = tell(daemon, address, told)
    until(lambda: looks(clouds), 8)
    until(lambda: "queued" in words(daemon, job), 30)
    believed = daemon.job(job)["state"]
    clouds.of["one"].kept["TX-0"]["sms_status"] = "delivered"
    second = tell(daemon, address, told)
    ended = daemon.ended(job, 30)
    assert (first[0], second[0]) == (200, 200)
    assert believed == "submitted"
    assert (ended["state"], ended["disposition"]) == ("completed", "DELIVERED")
    assert len(clouds.sent()) == 1


def test_a_receipt_that_comes_after_a_restart_finds_its_job(start, clouds):
    daemon, job, address = start()
    daemon.kill()
    daemon.start()
    status, _ = tell_signed(daemon, address, MessageSid=SID, MessageStatus="undelivered", ErrorCode="30003")
    ended = daemon.job(job)
    assert status == 200
    assert (ended["state"], ended["disposition"]) == ("failed", "UNDELIVERED")
    assert len(clouds.sent()) == 1


def test_a_receipt_settles_what_was_in_doubt(clouds):
    clouds.of["one"] = RESET
    daemon = clouds.daemon(clouds.account("one")).start()
    job = daemon.ended(daemon.submit(**SMS)["id"], 30)
    address = callback_of(clouds.sent()[0])
    tell_signed(daemon, address, MessageSid=SID, MessageStatus="delivered")
    settled = daemon.job(job["id"])
    assert job["state"] == "held"
    assert (settled["state"], settled["disposition"]) == ("completed", "DELIVERED")
    assert settled["attempts"][0]["ref"] == SID
    assert len(clouds.sent()) == 1


def test_a_receipt_that_comes_before_the_answer_spares_a_doubt(clouds):
    clouds.of["one"] = HANGS
    daemon = clouds.daemon(clouds.account("one", timeout="3s")).start()
    job = daemon.submit(**SMS)
    until(clouds.sent, 30)
    address = callback_of(clouds.sent()[0])
    early = tell_signed(daemon, address, MessageSid=SID, MessageStatus="sent")
    until(lambda: daemon.job(job["id"])["state"] == "submitted", 30)
    tell_signed(daemon, address, MessageSid=SID, MessageStatus="delivered")
    ended = daemon.ended(job["id"], 30)
    assert early[0] == 200
    assert (ended["state"], ended["disposition"]) == ("completed", "DELIVERED")
    assert len(clouds.sent()) == 1


def test_without_a_listener_the_provider_is_asked_what_became_of_it(clouds):
    daemon = clouds.daemon(clouds.account("one", "hoiio"))
    del daemon.settings["listener"]
    daemon.write_config()
    job = daemon.start().submit(**SMS)
    until(in_state(daemon, job["id"], "submitted"), 30)
    clouds.of["one"].kept["TX-0"]["sms_status"] = "failed"
    ended = daemon.ended(job["id"], 40)
    sent, look = clouds.asked()
    assert "notify_url" not in dict(sent.form)
    assert look.path == "/one/sms/query_status"
    assert look.at - sent.at > 8
    assert (ended["state"], ended["disposition"]) == ("failed", "FAILED")


def test_only_the_providers_own_networks_may_tell_behind_a_proxy(start, clouds):
    networks = {"one": ["203.0.113.0/24", "2001:db8::/32"]}
    behind = {"listener.sources": networks}
    daemon, job, address = start(**behind)
    form = {"MessageSid": SID, "MessageStatus": "delivered"}
    signed = signature(address, form)

    def come_from(forwarded):
        return tell(daemon, address, form, headers=signed | {"X-Forwarded-For": forwarded})[0]

    untrusted = come_from("203.0.113.9")
    daemon.settings["listener"]["proxies"] = ["127.0.0.1"]
    daemon.write_config()
    daemon.restart()
    strangers = [come_from(each) for each in ("198.51.100.1", "203.0.113.9, 198.51.100.1", "nonsense")]
    before = daemon.job(job)["state"]
    known = come_from("198.51.100.1, 203.0.113.9")
    assert untrusted == 404
    assert strangers == [404, 404, 404]
    assert before == "submitted"
    assert known == 200
    assert daemon.job(job)["state"] == "completed"
    assert reference_of(clouds.sent()[0]) == f"{job}.1"
