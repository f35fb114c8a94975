import queue
import threading
from time import monotonic
from typing import Any

import pytest

from dialerd.core.errors import (
    Rejected,
    Unconfirmed,
)
from dialerd.core.model import Disposition
from dialerd.core.receipts import Receipt
from dialerd.core.signals import ProviderAnswered
from tests.providers import cloud as faults
from tests.providers.cloud import Cloud, Says, Seen, says
from tests.providers.sample import Sample
from tests.providers.samples import REFERENCE, account, sms
from tests.providers.working import LONG, asked, looked, made, page
from tests.waiting import until


def test_a_look_by_the_providers_id_says_what_became_of_it(cloud: Cloud) -> None:
    cloud.answers = [says({"id": "m1", "status": "delivered"})]
    with made(account(Sample, cloud)) as accounts:
        found = looked(accounts, "m1").receipt

    assert found is not None
    assert found.disposition is Disposition.DELIVERED
    assert cloud.seen[0].target == "/messages/m1"


def test_a_look_by_our_reference_goes_through_all_pages(cloud: Cloud) -> None:
    cloud.answers = [page(("m1", "other"), next="2"), page(("m2", REFERENCE), next="3"), page(("m3", None))]
    with made(account(Sample, cloud)) as accounts:
        found = looked(accounts).receipt

    assert found == Receipt(ref="m2", reference=REFERENCE)
    assert [each.target for each in cloud.seen] == [
        f"/messages?tag={REFERENCE}&page={number}" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (page(("m1", "other"), ("m2", None)), "does not show it"),
        (page(("m1", REFERENCE), ("m2", REFERENCE)), "2 times"),
        (says({}, 404), "404"),
    ],
)
def test_a_look_that_is_not_sure_finds_nothing(cloud: Cloud, answer: Says, why: str) -> None:
    cloud.answers = [answer]
    with made(account(Sample, cloud)) as accounts:
        found = looked(accounts)

    assert found.receipt is None
    assert why in found.why


def test_what_is_shown_on_two_pages_is_one(cloud: Cloud) -> None:
    cloud.answers = [page(("m1", REFERENCE), next="2"), page(("m1", REFERENCE))]
    with made(account(Sample, cloud)) as accounts:
        assert looked(accounts).receipt == Receipt(ref="m1", reference=REFERENCE)


@pytest.mark.parametrize("fault", [faults.RESET, faults.NO_TLS, says({}, 503), Says(200, faults.HTML)])
def test_a_read_is_tried_a_second_time(cloud: Cloud, fault: Any) -> None:
    cloud.answers = [fault, says({"id": "m1", "status": "queued"})]
    with made(account(Sample, cloud)) as accounts:
        found = looked(accounts, "m1").receipt

    assert found is not None
    assert found.word == "queued"


@pytest.mark.parametrize(
    ("answer", "times"), [(faults.RESET, 2), (says({}, 404), 1), (says({}, 401), 1), (faults.CLOSED, 2)]
)
def test_a_read_is_tried_no_third_time(cloud: Cloud, answer: Any, times: int) -> None:
    cloud.otherwise = answer
    with made(account(Sample, cloud)) as accounts:
        assert looked(accounts, "m1").receipt is None

    assert len(cloud.seen) == times


def test_which_jobs_can_be_asked_for_is_known(cloud: Cloud) -> None:
    with made(account(Sample, cloud)) as accounts:
        assert accounts.can_look("cloud", "sms", True)
        assert accounts.can_look("cloud", "sms", False)
        assert not accounts.can_look("cloud", "fax", True)
        assert not accounts.can_look("cloud", "number", False)
        assert not accounts.can_look("other", "sms", True)


def pages(count: int, size: int) -> Any:
    def answer(seen: Seen) -> Says:
        number = int(seen.query.rpartition("=")[2])
        items = [(f"n{number}.{each}", None) for each in range(size)]
        return page(*items, next=str(number + 1) if number < count else None)

    return answer


def test_a_question_fetches_all_pages(cloud: Cloud) -> None:
    cloud.otherwise = pages(3, 4)
    with made(account(Sample, cloud)) as accounts:
        found = asked(accounts, country="US")

    assert len(found) == 12
    assert [each.target for each in cloud.seen] == [f"/numbers?country=US&page={n}" for n in (1, 2, 3)]


def test_no_more_pages_are_fetched_than_were_asked_for(cloud: Cloud) -> None:
    cloud.otherwise = pages(100, 4)
    with made(account(Sample, cloud)) as accounts:
        assert len(asked(accounts, limit=6)) == 6

    assert len(cloud.seen) == 2


def test_lists_without_end_are_refused(cloud: Cloud) -> None:
    cloud.otherwise = pages(100, 3000)
    with made(account(Sample, cloud)) as accounts, pytest.raises(Rejected, match="more than 10000"):
        asked(accounts)

    assert len(cloud.seen) == 4


def test_a_page_that_leads_to_itself_is_no_endless_list(cloud: Cloud) -> None:
    cloud.otherwise = page(("m1", None), next="1")
    with made(account(Sample, cloud)) as accounts, pytest.raises(Unconfirmed, match="same page"):
        asked(accounts)


@pytest.mark.parametrize("fault", [faults.RESET, says({}, 503)])
def test_an_act_is_done_once(cloud: Cloud, fault: Any) -> None:
    cloud.otherwise = fault
    with made(account(Sample, cloud)) as accounts, pytest.raises(Unconfirmed):
        asked(accounts, "voice.hangup", ref="c1")

    assert [each.method for each in cloud.seen] == ["DELETE"]


def test_an_act_gives_back_what_the_provider_says(cloud: Cloud) -> None:
    with made(account(Sample, cloud)) as accounts:
        assert asked(accounts, "voice.hangup", ref="c1") == Receipt(ref="gone")


@pytest.mark.parametrize("operation", ["sms.send", "numbers.list", "nonsense"])
def test_what_can_not_be_asked_is_refused(cloud: Cloud, operation: str) -> None:
    with made(account(Sample, cloud)) as accounts, pytest.raises(Rejected, match="can't be asked"):
        asked(accounts, operation)


def test_an_error_of_ours_stops_nothing_but_its_question(cloud: Cloud) -> None:
    with made(account(Sample, cloud)) as accounts:
        with pytest.raises(Unconfirmed):
            asked(accounts, country="nowhere")
        cloud.otherwise = page()

        assert asked(accounts) == ()


def test_reads_wait_for_a_connection_and_get_it(cloud: Cloud) -> None:
    free = threading.Event()

    def slow(seen: Seen) -> Says:
        free.wait(LONG)
        return says({"id": "m1"})

    cloud.answers, cloud.otherwise = [slow], page()
    answers: queue.Queue[ProviderAnswered] = queue.Queue()
    with made(account(Sample, cloud, connections=1)) as accounts:
        accounts.send("cloud", "sms.send", sms(), answers.put)
        until(lambda: cloud.seen, LONG)
        future = accounts.ask("cloud", "numbers.search", {})
        until(lambda: accounts.next("cloud", monotonic()) is not None, LONG)
        before = len(cloud.seen)
        free.set()

        assert future.result(LONG) == ()
        assert before == 1


def test_what_the_provider_has_no_parameter_for_is_refused(cloud: Cloud) -> None:
    with made(account(Sample, cloud)) as accounts, pytest.raises(Rejected, match="nonsense"):
        asked(accounts, nonsense="1")

    assert cloud.connections_since() == 0
