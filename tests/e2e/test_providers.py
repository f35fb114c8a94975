"""Messages, faxes and calls go through providers, and come to their end; no provider is asked more often than
it allows, and no secret comes to light."""

import base64
import json
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.e2e.clouds import (
    ACCOUNT,
    NUMBER,
    OURS,
    SAY,
    SECRET,
    SMS,
    Twilio,
    callback_of,
    events,
    fields_of,
    in_state,
    parts_of,
    providers,
    routes,
    tell,
    tell_signed,
)
from tests.e2e.lines import status
from tests.providers.cloud import RESET, Says, says
from tests.waiting import until

PDF = (
    b"%PDF-1.4\n1 0 obj\n<</Type/Catalog/Pages 2 0 R>>\nendobj\n2 0 obj\n<</Type/Pages/Count 1/Kids[3 0 R]>>"
    b"\nendobj\n3 0 obj\n<</Type/Page/Parent 2 0 R>>\nendobj\n\xe2\xe3\xcf\xd3\r\n\x00\xff--x\r\n%%EOF\n"
)


def test_a_message_goes_out_once_and_is_completed_by_its_receipt(clouds):
    daemon = clouds.daemon(clouds.account("one")).start()
    job = daemon.submit(**SMS)
    until(in_state(daemon, job["id"], "submitted"), 30)
    seen = clouds.asked()
    told = tell_signed(daemon, callback_of(seen[0]), MessageSid="SM" + "0" * 32, MessageStatus="delivered")
    ended = daemon.job(job["id"])
    assert [(each.method, each.path) for each in seen] == [
        ("POST", f"/one/2010-04-01/Accounts/{ACCOUNT}/Messages.json")
    ]
    assert dict(seen[0].form).items() >= {"To": NUMBER, "From": OURS, "Body": "Hello"}.items()
    assert told[0] == 200
    assert (ended["state"], ended["disposition"]) == ("completed", "DELIVERED")
    assert len(clouds.sent()) == 1


def test_messages_of_a_job_file_a_spreadsheet_and_a_command_go_out_once_each(clouds):
    daemon = clouds.daemon(clouds.account("one")).start()
    daemon.put("one.json", json.dumps({**SMS, "body": "from a job file"}))
    daemon.put("more.csv", f"kind,to,body\nsms,{NUMBER},from a row\nsms,+4930123457,from another\n")
    sent = daemon.ctl("sms", "send", NUMBER, "from a command", "--json")
    until(lambda: len(clouds.sent()) == 4, 30)
    until(lambda: status(daemon)["jobs"] == {"submitted": 4}, 30)
    bodies = sorted(dict(seen.form)["Body"] for seen in clouds.sent())
    assert sent.returncode == 0, sent.stderr
    assert bodies == ["from a command", "from a job file", "from a row", "from another"]


def test_one_text_to_many_is_one_request_where_the_jobs_allow_it(clouds):
    bulk = says({"status": "success_ok", "bulk_txn_ref": "B-1"})
    clouds.of["one"] = bulk
    daemon = clouds.daemon(clouds.account("one", "hoiio")).start()
    daemon.ctl("pause", "all")
    numbers = [f"+4930123{place}" for place in range(400, 420)]
    accepted = daemon.ctl("sms", "send", *numbers, "Hello", "--bulk", "--batch", "monday")
    daemon.ctl("resume", "all")
    until(lambda: status(daemon)["jobs"] == {"submitted": 20}, 30)
    (seen,) = [each for each in clouds.asked() if "send" in each.path]
    assert accepted.returncode == 0, accepted.stderr
    assert seen.path == "/one/sms/bulk_send"
    assert sorted(fields_of(seen)["dest"].split(",")) == numbers


def test_a_number_is_bought_once_however_often_it_is_ordered_with_the_same_key(clouds):
    clouds.of["one"] = says({"sid": "PN1", "phone_number": "+15005550009"}, 201)
    daemon = clouds.daemon(clouds.account("one")).start()
    order = {"kind": "number", "order": "buy", "number": "+15005550009", "provider": "one", "key": "number"}
    job = daemon.ended(daemon.submit(**order)["id"])
    again = daemon.submit(**order)
    assert (job["state"], job["disposition"]) == ("completed", "DONE")
    assert again["id"] == job["id"]
    assert len(clouds.asked()) == 1


def delivered_fax(daemon, clouds, job_id):
    """The request that a fax went out by, once it is there; the provider tells that it is over."""
    until(in_state(daemon, job_id, "submitted", "completed"), 30)
    (seen,) = clouds.sent()
    tell(daemon, callback_of(seen), {"txn_ref": "TX-0", "fax_status": "answered", "dest": NUMBER})
    assert daemon.ended(job_id, 30)["disposition"] == "DELIVERED"
    return seen


@pytest.mark.parametrize("how", ["upload", "command", "companion"])
def test_a_fax_reaches_the_provider_byte_by_byte(clouds, open_folder, how):
    daemon = clouds.daemon(clouds.account("one", "hoiio", requests_per_minute=6000)).start()
    if how == "upload":
        put = daemon.request("POST", "/v1/documents", PDF, {"Content-Type": "application/pdf"})
        daemon.submit(kind="fax", to=NUMBER, document=put[1]["document"], filename="letter.pdf")
    elif how == "command":
        letter = open_folder / "letter.pdf"
        letter.write_bytes(PDF)
        told = daemon.ctl("fax", "send", NUMBER, str(letter))
        assert told.returncode == 0, told.stderr
    else:
        daemon.put("letter.pdf", PDF)
        daemon.put("fax.json", json.dumps({"kind": "fax", "to": NUMBER, "document_file": "letter.pdf"}))
    (job,) = until(daemon.jobs, 30)
    seen = delivered_fax(daemon, clouds, job["id"])
    name, content = parts_of(seen)["file"]
    assert content == PDF
    assert name in ("letter.pdf", "fax.pdf")
    assert fields_of(seen)["dest"] == NUMBER
    assert len(clouds.sent()) == 1


@pytest.mark.parametrize("word", ["ringing", "in-progress"])
def test_a_call_that_a_provider_has_is_hung_up_there_and_then_cancelled(clouds, word):
    clouds.of["one"] = Twilio(word)
    daemon = clouds.daemon(clouds.account("one", requests_per_minute=6000)).start()
    job = daemon.submit(**SAY, provider="one")
    until(in_state(daemon, job["id"], "submitted"), 30)
    told = daemon.ctl("cancel", job["id"])
    ended = daemon.ended(job["id"], 30)
    acts = [(seen.path.rpartition("/")[2], seen.form) for seen in clouds.asked() if seen.method == "POST"][1:]
    assert told.returncode == 0, told.stderr
    assert acts == [("CA" + "0" * 32 + ".json", [("Status", "completed")])]
    assert ended["state"] == "cancelled"
    assert len(clouds.sent()) == 1


def test_no_limit_is_passed_though_dialerd_is_killed_and_started_in_between(clouds):
    daemon = clouds.daemon(clouds.account("one", requests_per_minute=20)).start()
    for place in range(3):
        daemon.submit(**{**SMS, "to": f"+493012345{place}"})
    for count in range(1, 3):
        until(lambda count=count: len(clouds.asked()) >= count, 30)
        daemon.kill()
        daemon.start()
    until(lambda: len(clouds.asked()) >= 3, 30)
    times = [seen.at for seen in clouds.asked()]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert min(gaps) > 2.9, gaps
    assert set(clouds.references().values()) == {1}


def test_a_provider_that_asked_to_wait_is_waited_for_over_a_restart(clouds):
    clouds.of["one"] = says({}, 429, Retry_After="300")
    daemon = clouds.daemon(clouds.account("one")).start()
    first = daemon.submit(**SMS)
    until(in_state(daemon, first["id"], "deferred"), 30)
    before = blocked_until(daemon)
    daemon.kill()
    daemon.start()
    second = daemon.submit(**SMS)
    after = blocked_until(daemon)
    until(lambda: daemon.submit(**SMS)["id"] != second["id"], 30)
    assert abs(after - before) < timedelta(seconds=2)
    assert daemon.job(second["id"])["state"] == "queued"
    assert len(clouds.asked()) == 1


def blocked_until(daemon):
    return datetime.fromisoformat(providers(daemon)["one"]["blocked_until"])


def test_no_secret_comes_to_light_whatever_goes_wrong(clouds):
    basic = base64.b64encode(f"{ACCOUNT}:{SECRET}".encode()).decode()
    echo = f"Who are you? Basic {basic} {SECRET}".encode()
    faults = {
        "told": Says(401, echo),
        "html": Says(500, echo),
        "good-html": Says(200, echo),
        "refuses": says({"code": 21211, "message": echo.decode()}, 400),
        "resets": RESET,
    }
    clouds.of |= faults
    types = {"told": "exotel", "good-html": "hoiio"}
    given = {"exotel": {"sid": "sid"}}
    names = (*faults, "fine")
    accounts = [
        clouds.account(
            name, types.get(name, "twilio"), requests_per_minute=6000, **given.get(types.get(name), {})
        )
        for name in names
    ]
    ways = [{"kinds": ["sms"], "tags": [name], "ways": [name]} for name in names]
    daemon = clouds.daemon(*accounts, log={"level": "debug"}, **routes(*ways)).start()
    jobs = [daemon.submit(**SMS, tags=[name], sender=OURS)["id"] for name in names]
    for job in jobs:
        until(in_state(daemon, job, "submitted", "held", "failed", "deferred"), 30)
    daemon.ctl("providers", "check")
    said = [daemon.request("GET", path)[1] for path in ("/v1/status", "/v1/jobs", "/v1/providers")]
    said += [daemon.job(job) for job in jobs] + [events(daemon, job) for job in jobs]
    said += [daemon.ctl(*words.split()).stdout for words in ("status", "providers list", "list", "health")]
    process = Path(f"/proc/{daemon.pid}")
    said += [(process / name).read_text() for name in ("cmdline", "environ")]
    kept = {str(path): path.read_bytes() for path in daemon.state.rglob("*") if path.is_file()}
    for path in (*daemon.state.glob("*.sqlite3"), *daemon.state.glob("*.sqlite3-wal")):
        path.write_bytes(b"no database" * 1000)
    with suppress(OSError, ValueError):
        daemon.request("POST", "/v1/jobs", SMS | {"tags": ["fine"]})
    daemon.kill()
    daemon.start(wait=False)
    code = daemon.wait_for_end(30)
    everything = json.dumps(said, default=str).encode() + daemon.log().encode()
    hidden = [SECRET.encode(), basic.encode(), base64.b64encode(SECRET.encode())]
    assert [word for word in hidden if word in everything] == []
    assert [path for path, data in kept.items() for word in hidden if word in data] == []
    assert all(clouds.asked(name) for name in names)
    assert code != 0, "its store is no database any more"
