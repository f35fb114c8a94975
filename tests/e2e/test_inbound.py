"""What comes in: messages, faxes and calls become jobs that are over, told once to every sink; calls are led
step by step."""

import json
from urllib.parse import urlencode

import pytest

from tests.e2e.clouds import OURS, callback_of, events, fields_of, in_state, tell, tell_signed
from tests.reports.receiver import receiving
from tests.users import DIALERD_GID, DIALERD_UID, give
from tests.waiting import until

CALLER, DID = "+4930999999", "+6531234567"
MENU = [
    {"play": "Welcome."},
    {
        "gather": {
            "message": "Press 1.",
            "max_digits": 1,
            "on": {
                "1": [{"transfer": {"to": "+6566028066", "on_failure": [{"record": {"longest": 30}}]}}],
                "": [{"hangup": "That is no choice."}],
            },
        }
    },
]
FLAT = {"to": "15005550006", "from": "12065551212", "body": "Hi there", "id": "mdr1-1"}
WRAPPED = {
    "data": {
        "id": "mdr2-1",
        "type": "message",
        "attributes": {"to": "15005550006", "from": "12065551212", "body": "Hi there"},
    }
}


def address_of(daemon, name):
    """What an administrator gives a provider for what comes in."""
    shown = daemon.ctl("providers", "addresses").stdout
    (line,) = [line for line in shown.splitlines() if line.startswith(name)]
    return line.split()[1]


def received(daemon):
    return [job for job in daemon.jobs() if job["kind"] == "received"]


@pytest.fixture
def sinks(open_folder):
    """A webhook, a command and a folder; what each was told of a kind of event."""
    with receiving() as receiver:
        told, results = open_folder / "told", open_folder / "results"
        for folder in (told, results):
            folder.mkdir()
            give(folder, DIALERD_UID, DIALERD_GID, 0o755)
        secret = open_folder / "hook.secret"
        secret.write_text("whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY=\n")
        give(secret, DIALERD_UID, DIALERD_GID, 0o600)
        keep = f"cat > {told}/$$.fresh; mv {told}/$$.fresh {told}/$$.json"
        settings = {
            "webhooks.crm": {"url": receiver.url, "secret_file": str(secret), "allow_private": True},
            "hooks.pager": {"command": ["/bin/sh", "-c", keep]},
            "results": {"folder": str(results)},
        }

        def told_of():
            """What each was told, whatever was said twice."""
            reports = [each.json for each in receiver.received]
            commands = [json.loads(path.read_text()) for path in told.glob("*.json")]
            files = [json.loads(path.read_text()) for path in results.glob("*.json")]
            return [
                list(
                    {
                        each["id"]: each["data"]["message"] for each in said if "message" in each["data"]
                    }.values()
                )
                for said in (reports, commands)
            ] + [[each for each in files if each["kind"] == "received"]]

        yield settings, told_of


def test_a_message_that_comes_in_reaches_every_sink_once_though_it_is_told_three_times(clouds, sinks):
    settings, told_of = sinks
    daemon = clouds.daemon(clouds.account("one"), **settings).start()
    address = address_of(daemon, "one")
    message = {"MessageSid": "SM" + "9" * 32, "From": CALLER, "To": OURS, "Body": "Stop it!"}
    answers = [tell_signed(daemon, address, **message) for _ in range(2)]
    daemon.kill()
    daemon.start()
    answers.append(tell_signed(daemon, address, **message))
    (job,) = received(daemon)
    until(lambda: all(told_of()), 30)
    last = tell_signed(daemon, address, **message | {"MessageSid": "SM" + "8" * 32, "Body": "The end"})
    until(lambda: all(len(each) == 2 for each in told_of()), 30)
    bodies = [sorted(each["body"] for each in sink) for sink in told_of()]
    assert {status for status, _ in (*answers, last)} == {200}
    assert all("<Response" in text for _, text in answers)
    assert (job["state"], job["what"], job["sender"], job["dest"]) == ("completed", "sms", CALLER, OURS)
    assert bodies == [["Stop it!", "The end"]] * 3


@pytest.mark.parametrize("told", [FLAT, WRAPPED])
def test_a_message_by_flowroute_is_listed(clouds, told):
    daemon = clouds.daemon(clouds.account("flow", "flowroute", sender=OURS)).start()
    address = address_of(daemon, "flow")
    answers = [tell(daemon, address, data=told)[0] for _ in range(3)]
    (job,) = received(daemon)
    shown = daemon.ctl("show", job["id"]).stdout
    assert answers == [200] * 3
    assert (job["sender"], job["dest"], job["body"]) == ("+12065551212", "+15005550006", "Hi there")
    assert job["provider"] == "flow"
    assert "Hi there" in shown


def test_a_fax_that_comes_in_is_listed_with_its_address(clouds):
    daemon = clouds.daemon(clouds.account("one", "hoiio")).start()
    fax = {
        "txn_ref": "TX-F",
        "fax_status": "answered",
        "from": CALLER,
        "to": DID,
        "fax_url": "https://s3.example.com/fax.pdf",
    }
    address = f"{address_of(daemon, 'one')}?{urlencode(fax)}"
    answers = [tell(daemon, address)[0] for _ in range(3)]
    (job,) = received(daemon)
    assert answers == [200] * 3
    assert (job["what"], job["ref"], job["media"]) == ("fax", "TX-F", ["https://s3.example.com/fax.pdf"])


def steps_of(clouds):
    """What was asked of the sessions: verb, words and whom."""
    asked = [
        (seen.path.rpartition("/")[2], fields_of(seen)) for seen in clouds.asked() if "/ivr/" in seen.path
    ]
    return [(verb, form.get("msg"), form.get("dest")) for verb, form in asked]


def notify(daemon, address, **fields):
    """A notification about the session, as Hoiio sends it: all in the address."""
    told = {"session": "S-1", "txn_ref": "TX-C", "call_state": "ongoing", **fields}
    mark = "&" if "?" in address else "?"
    assert tell(daemon, f"{address}{mark}{urlencode(told)}")[0] == 200


def test_a_session_is_led_by_notifications_along_the_digits_that_were_pressed_to_its_end(clouds):
    daemon = clouds.daemon(clouds.account("one", "hoiio", requests_per_minute=6000)).start()
    job = daemon.submit(kind="ivr", to=CALLER, message="Hello.", steps=MENU)
    until(in_state(daemon, job["id"], "submitted"), 30)
    address = callback_of(clouds.sent()[0])

    def after(count, **fields):
        notify(daemon, address, **fields)
        until(lambda: len(steps_of(clouds)) == count, 30)

    after(2, ivr_block="dial", dial_status="answered")
    notify(daemon, address, ivr_block="dial", dial_status="answered")
    after(3, ivr_block="play")
    after(4, ivr_block="gather", digits="1")
    after(5, ivr_block="transfer", transfer_status="busy")
    after(6, ivr_block="record", record_url="https://s3.example.com/said.mp3")
    notify(daemon, address, call_state="ended", duration="2", debit="0.10", currency="SGD")
    ended = daemon.ended(job["id"], 30)
    notify(daemon, address, ivr_block="play")
    seen = clouds.asked()
    assert steps_of(clouds) == [
        ("dial", "Hello.", CALLER),
        ("play", "Welcome.", None),
        ("gather", "Press 1.", None),
        ("transfer", None, "+6566028066"),
        ("record", None, None),
        ("hangup", None, None),
    ]
    assert all(fields_of(each)["notify_url"] == address for each in seen)
    assert (ended["state"], ended["disposition"]) == ("completed", "ANSWERED")
    assert ended["attempts"][0]["price"] == "0.10"
    assert "https://s3.example.com/said.mp3" in json.dumps(ended["attempts"])
    assert "digits" in json.dumps(events(daemon, job["id"]))


def test_a_call_that_comes_in_is_led_by_the_steps_of_its_number(clouds):
    did = {f'dids."{DID}"': {"provider": "one", "steps": MENU}}
    daemon = clouds.daemon(clouds.account("one", "hoiio", requests_per_minute=6000), **did).start()
    address = address_of(daemon, "one")
    for _ in range(3):
        notify(daemon, address, **{"ivr_block": "answer", "from": CALLER, "to": DID})
    until(lambda: len(steps_of(clouds)) == 1, 30)
    back = fields_of(next(seen for seen in clouds.asked() if "/ivr/" in seen.path))["notify_url"]
    notify(daemon, back, ivr_block="play")
    until(lambda: len(steps_of(clouds)) == 2, 30)
    daemon.kill()
    daemon.start()
    notify(daemon, back, ivr_block="gather", digits="7")
    until(lambda: len(steps_of(clouds)) == 3, 30)
    notify(daemon, back, call_state="ended", duration="1")
    (session,) = [job for job in daemon.jobs() if job["kind"] == "ivr"]
    ended = daemon.ended(session["id"], 30)
    (call,) = received(daemon)
    assert steps_of(clouds) == [
        ("play", "Welcome.", None),
        ("gather", "Press 1.", None),
        ("hangup", "That is no choice.", None),
    ]
    assert (call["what"], call["sender"], call["dest"]) == ("call", CALLER, DID)
    assert (ended["state"], ended["disposition"]) == ("completed", "ANSWERED")


def test_a_call_to_a_number_without_steps_is_listed_and_left_alone(clouds):
    daemon = clouds.daemon(clouds.account("one", "hoiio")).start()
    address = address_of(daemon, "one")
    notify(daemon, address, **{"ivr_block": "answer", "from": CALLER, "to": DID})
    (call,) = received(daemon)
    assert call["what"] == "call"
    assert steps_of(clouds) == []
    assert [job["kind"] for job in daemon.jobs()].count("ivr") == 0


def test_a_provider_that_asks_what_to_do_is_answered_with_the_line_of_the_number(clouds):
    did = {f'dids."{DID}"': {"provider": "din", "action": 'say en "We are closed."'}}
    daemon = clouds.daemon(clouds.account("din", "xoxzo", sender="ACME"), **did)
    address = address_of(daemon.start(), "din")
    asked = {number: urlencode({"caller": CALLER, "recipient": number}) for number in (DID, "+6531234568")}
    answers = [tell(daemon, f"{address}?{query}", method="GET") for query in asked.values()]
    calls = received(daemon)
    assert answers == [(200, 'say en "We are closed."'), (200, "")]
    assert {call["dest"] for call in calls} == set(asked)


def test_a_call_by_twilio_is_turned_down_or_answered_as_the_number_says(clouds):
    twiml = "<Response><Dial>+4930654321</Dial></Response>"
    did = {f'dids."{OURS}"': {"provider": "one", "action": twiml}}
    daemon = clouds.daemon(clouds.account("one"), **did).start()
    address = address_of(daemon, "one")
    call = {"CallSid": "CA" + "9" * 32, "CallStatus": "ringing", "Direction": "inbound", "From": CALLER}
    known = tell_signed(daemon, address, **call, To=OURS)
    unknown = tell_signed(daemon, address, **call | {"CallSid": "CA" + "8" * 32}, To="+15005550007")
    assert known == (200, twiml)
    assert "<Reject" in unknown[1]
    assert len(received(daemon)) == 2
