import queue
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

import pytest

from dialerd.core.errors import (
    AccountRefused,
    DeliveryError,
    NotServed,
    Rejected,
    Unavailable,
    Unconfirmed,
)
from dialerd.core.receipts import Receipt
from dialerd.core.signals import AccountBlocked, ProviderAnswered
from tests.providers import cloud as faults
from tests.providers.cloud import Cloud, Says, Seen, says
from tests.providers.sample import Sample
from tests.providers.samples import REFERENCE, TO, account, errand, provider, sms
from tests.providers.working import LONG, looked, made, outcome, sent
from tests.waiting import until


def test_a_send_is_answered_by_its_reference(cloud: Cloud) -> None:
    cloud.answers = [says({"id": "m1"}, 201)]
    with made(account(Sample, cloud)) as accounts:
        answered = sent(accounts, sms("Hello"))

    assert (answered.provider, answered.answers) == ("cloud", {REFERENCE: Receipt(ref="m1")})
    assert cloud.seen[0].form == [("To", TO), ("Text", "Hello"), ("Tag", REFERENCE)]
    assert len(cloud.seen) == 1


@pytest.mark.parametrize(
    ("given", "sent_as"),
    [
        ("https://d.example.com/x", f"https://d.example.com/x?ref={REFERENCE}"),
        ("https://d.example.com/x?a=1", f"https://d.example.com/x?a=1&ref={REFERENCE}"),
        (f"https://d.example.com/x?ref={REFERENCE}", f"https://d.example.com/x?ref={REFERENCE}"),
    ],
)
def test_the_address_for_receipts_brings_our_reference_back(cloud: Cloud, given: str, sent_as: str) -> None:
    cloud.answers = [says({"id": "m1"})]
    with made(account(Sample, cloud), callback_url=lambda name, reference: given) as accounts:
        sent(accounts, sms())
        assert accounts.gets_receipts("cloud")

    assert cloud.seen[0].form[-1] == ("Callback", sent_as)


def test_what_the_adapter_refuses_never_goes_out(cloud: Cloud) -> None:
    with made(account(Sample, cloud)) as accounts:
        answer = outcome(accounts, sms("unspeakable"))

    assert isinstance(answer, Rejected)
    assert cloud.connections_since() == 0


def test_an_operation_that_the_provider_does_not_have_never_goes_out(cloud: Cloud) -> None:
    with made(account(Sample, cloud)) as accounts:
        answer = outcome(accounts, errand("numbers.buy"), "numbers.buy")

    assert isinstance(answer, Rejected)
    assert cloud.connections_since() == 0


def test_an_error_of_ours_leaves_the_attempt_in_doubt_and_the_account_at_work(cloud: Cloud) -> None:
    cloud.otherwise = says({"id": "m1"})
    with made(account(Sample, cloud, connections=1)) as accounts:
        bad = outcome(accounts, errand("fax.send"), "sms.send")
        good = outcome(accounts, sms())

    assert type(bad) is Unconfirmed
    assert good == Receipt(ref="m1")


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (says({"no": "Not to Mars"}), NotServed),
        (says({"status": "ok"}), Unconfirmed),
        (Says(200, b""), Unconfirmed),
        (says([1]), Unconfirmed),
        (Says(200, faults.HTML), Unconfirmed),
        (says({}, 500), Unconfirmed),
        (faults.RESET, Unconfirmed),
        (faults.RESET_UNREAD, Unconfirmed),
        (faults.NO_TLS, Unavailable),
        (says({}, 400), Rejected),
        (says({}, 429), Unavailable),
    ],
)
def test_an_attempt_is_sent_once_whatever_comes_of_it(cloud: Cloud, answer: Any, verdict: Any) -> None:
    cloud.answers = [answer]
    with made(account(Sample, cloud)) as accounts:
        assert type(outcome(accounts, sms())) is verdict

    assert cloud.connections_since() == 1


def test_a_send_without_an_id_in_its_answer_is_in_doubt(cloud: Cloud) -> None:
    cloud.answers = [says({"status": "ok"})]
    with made(account(Sample, cloud)) as accounts:
        answer = outcome(accounts, errand("fax.send"), "fax.send")

    assert type(answer) is Unconfirmed
    assert "no id" in str(answer)


def test_a_request_for_many_is_answered_to_each(cloud: Cloud) -> None:
    bulk = errand("sms.bulk")
    first, second = bulk.to
    cloud.answers = [says({"ids": {first: "m1", second: "m2"}})]
    with made(account(Sample, cloud)) as accounts:
        answers = sent(accounts, bulk, "sms.bulk").answers

    assert set(answers) == set(bulk.references.values())
    found = answers[bulk.references[second]]
    assert isinstance(found, Receipt)
    assert (found.ref, found.to, found.reference) == ("m2", second, bulk.references[second])


def test_doubt_of_a_request_for_many_is_the_doubt_of_each(cloud: Cloud) -> None:
    bulk = errand("sms.bulk")
    cloud.answers = [faults.RESET]
    with made(account(Sample, cloud)) as accounts:
        answers = sent(accounts, bulk, "sms.bulk").answers

    assert {key: type(value) for key, value in answers.items()} == dict.fromkeys(
        bulk.references.values(), Unconfirmed
    )


def test_a_fax_goes_out_with_its_document(cloud: Cloud) -> None:
    cloud.answers = [says({"id": "f1"})]
    documents = {"a" * 64: b"%PDF such"}
    fax = replace(errand("fax.send"), document=None)
    with made(account(Sample, cloud), documents=documents.__getitem__) as accounts:
        answer = outcome(accounts, fax, "fax.send")

    assert answer == Receipt(ref="f1")
    assert b"%PDF such" in cloud.seen[0].body


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(FileNotFoundError("x"), Rejected), (PermissionError(13, "Permission denied"), Unavailable)],
)
def test_a_fax_whose_document_can_not_be_read_never_goes_out(
    cloud: Cloud, error: OSError, verdict: type[DeliveryError]
) -> None:
    def unreadable(document: str) -> bytes:
        raise error

    fax = replace(errand("fax.send"), document=None)
    with made(account(Sample, cloud), documents=unreadable) as accounts:
        answer = outcome(accounts, fax, "fax.send")

    assert type(answer) is verdict
    assert cloud.connections_since() == 0


def test_an_account_that_is_not_there_sends_nothing() -> None:
    with made() as accounts:
        assert isinstance(outcome(accounts, sms()), Unavailable)
        assert looked(accounts).receipt is None
        assert accounts.room("cloud", monotonic()) == 0
        assert not accounts.has("cloud", "sms.send")


def test_room_counts_the_requests_that_are_under_way(own_cloud: Cloud) -> None:
    own_cloud.otherwise = faults.HANGS
    with made(account(Sample, own_cloud, connections=3)) as accounts:
        for _ in range(2):
            accounts.send("cloud", "sms.send", sms(), lambda answered: None)

        assert accounts.room("cloud", monotonic()) == 1
        assert accounts.describe()[0]["busy"] == 2
        own_cloud.over.set()


def test_there_is_room_again_by_the_time_an_answer_is_told(cloud: Cloud) -> None:
    cloud.otherwise = says({"id": "m1"})
    rooms: queue.Queue[int] = queue.Queue()
    with made(account(Sample, cloud, connections=1)) as accounts:
        for _ in range(5):
            accounts.send(
                "cloud", "sms.send", sms(), lambda _: rooms.put(accounts.room("cloud", monotonic()))
            )
            assert rooms.get(timeout=LONG) == 1


def test_a_provider_that_hangs_slows_no_other(cloud: Cloud, own_cloud: Cloud) -> None:
    cloud.otherwise, own_cloud.otherwise = says({"id": "m1"}), faults.HANGS
    answers: queue.Queue[ProviderAnswered] = queue.Queue()
    hanging, healthy = account(Sample, own_cloud), replace(account(Sample, cloud), name="healthy")
    with made(hanging, healthy) as accounts:
        for _ in range(4):
            accounts.send("cloud", "sms.send", sms(), lambda answered: None)
            accounts.look("cloud", "sms", sms(), "m1", lambda asked: None)
        for _ in range(20):
            accounts.send("healthy", "sms.send", sms(), answers.put)

        assert [answers.get(timeout=LONG).provider for _ in range(20)] == ["healthy"] * 20
        own_cloud.over.set()


def test_a_wait_that_the_provider_asks_for_holds_the_account_up(cloud: Cloud) -> None:
    cloud.answers = [says({}, 429, Retry_After="1000")]
    told: list[object] = []
    with made(account(Sample, cloud), tell=told.append) as accounts:
        answer = outcome(accounts, sms())
        now = monotonic()

        assert isinstance(answer, Unavailable)
        assert answer.retry_after == 1000
        assert accounts.is_blocked("cloud", now)
        assert accounts.room("cloud", now) == 0
        due = accounts.next("cloud", now)
        assert due is not None
        assert 900 < due - now <= 1000
        assert accounts.describe()[0]["blocked_until"] > datetime.now(UTC)
    assert isinstance(told[0], AccountBlocked)
    assert timedelta(seconds=900) < told[0].until - datetime.now(UTC) <= timedelta(seconds=1000)


def test_a_wait_holds_over_a_restart(cloud: Cloud) -> None:
    until_then = {"cloud": datetime.now(UTC) + timedelta(seconds=100)}
    with made(account(Sample, cloud), blocked=until_then) as accounts:
        assert accounts.is_blocked("cloud", monotonic() + 90)
        assert not accounts.is_blocked("cloud", monotonic() + 101)


def test_a_refused_account_is_shown_until_it_is_taken_again(cloud: Cloud) -> None:
    cloud.answers = [says({"message": "Who are you?"}, 401), says({"id": "m1"})]
    with made(account(Sample, cloud)) as accounts:
        refused = outcome(accounts, sms()), accounts.describe()[0]
        taken = outcome(accounts, sms()), accounts.describe()[0]

    assert isinstance(refused[0], AccountRefused)
    assert refused[1]["refused"]
    assert "Who are you?" in refused[1]["last_error"]
    assert refused[1]["last_success"] is None
    assert not taken[1]["refused"]
    assert taken[1]["last_success"] > taken[1]["last_error_at"]


def test_other_credentials_are_not_those_that_were_refused(cloud: Cloud) -> None:
    cloud.answers = [says({}, 401)]
    with made(account(Sample, cloud)) as accounts:
        outcome(accounts, sms())
        accounts.reconfigure([account(Sample, cloud, provider=replace(provider(Sample), account="other"))])

        assert not accounts.describe()[0]["refused"]


def test_other_settings_keep_the_pace_of_the_account(cloud: Cloud) -> None:
    cloud.answers = [says({}, 429, Retry_After="1000"), says({"id": "m1"})]
    with made(account(Sample, cloud)) as accounts:
        outcome(accounts, sms())
        accounts.reconfigure([account(Sample, cloud, connections=9), account(Sample, cloud, name="new")])

        assert accounts.is_blocked("cloud", monotonic())
        assert accounts.describe()[0]["connections"] == 9
        assert accounts.room("new", monotonic()) == 4


def test_an_account_that_is_taken_out_finishes_what_is_under_way(cloud: Cloud) -> None:
    free = threading.Event()

    def slow(seen: Seen) -> Says:
        free.wait(LONG)
        return says({"id": "m1"})

    cloud.otherwise = slow
    answers: queue.Queue[ProviderAnswered] = queue.Queue()
    with made(account(Sample, cloud)) as accounts:
        accounts.send("cloud", "sms.send", sms(), answers.put)
        until(lambda: cloud.seen, LONG)
        accounts.reconfigure([])
        free.set()

        assert answers.get(timeout=LONG).answers == {REFERENCE: Receipt(ref="m1")}
        assert isinstance(outcome(accounts, sms()), Unavailable)


def test_stopping_waits_for_what_is_under_way_and_answers_what_is_not(cloud: Cloud) -> None:
    free = threading.Event()

    def slow(seen: Seen) -> Says:
        free.wait(LONG)
        return says({"id": "m1"})

    cloud.otherwise = slow
    answers: queue.Queue[ProviderAnswered] = queue.Queue()
    with made(account(Sample, cloud, connections=1)) as accounts:
        accounts.send("cloud", "sms.send", sms(), answers.put)
        until(lambda: cloud.seen, LONG)
        accounts.send("cloud", "sms.send", sms(reference="other.1"), answers.put)
        stopping = threading.Thread(target=accounts.stop, args=(LONG,))
        stopping.start()
        first = answers.get(timeout=LONG)
        free.set()
        stopping.join(LONG)
        second = answers.get(timeout=LONG)

    assert type(first.answers["other.1"]) is Unavailable
    assert second.answers == {REFERENCE: Receipt(ref="m1")}
    assert len(cloud.seen) == 1


def test_the_rate_of_an_account_is_kept(cloud: Cloud) -> None:
    cloud.otherwise = says({"id": "m1"})
    done: queue.Queue[ProviderAnswered] = queue.Queue()
    with made(account(Sample, cloud, per_minute=1200)) as accounts:
        begun, sent = monotonic(), 0
        while sent < 40:
            until(lambda: accounts.room("cloud", monotonic()), LONG)
            accounts.send("cloud", "sms.send", sms(), done.put)
            sent += 1
        until(lambda: accounts.describe()[0]["busy"] == 0, LONG)

    moments = sorted(each.at for each in cloud.seen)
    assert all(before <= 20 * (at - begun) for before, at in enumerate(moments))
    assert len(moments) == done.qsize() == 40


def test_a_clock_that_was_put_back_by_years_blocks_nobody_for_longer_than_a_provider_may(
    cloud: Cloud,
) -> None:
    years = datetime.now(UTC) + timedelta(days=3650)

    with made(account(Sample, cloud), blocked={"cloud": years}) as accounts:
        later = monotonic() + 86_401

        assert not accounts.is_blocked("cloud", later)
