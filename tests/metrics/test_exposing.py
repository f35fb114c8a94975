"""The text of the metrics, where what they look at does not answer."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from dialerd.core.errors import Overloaded
from dialerd.metrics import Exposition


class Hung(Collector):
    """Looks at a disk that does not answer, until `answers` is set."""

    def __init__(self) -> None:
        self.asked, self.answers = threading.Event(), threading.Event()

    def collect(self) -> Iterator[Metric]:
        self.asked.set()
        self.answers.wait(30)
        yield GaugeMetricFamily("dialerd_files", "Files.", 7)


def test_a_disk_that_hangs_keeps_one_reader_and_not_all_that_come_after() -> None:
    exposition, hung = Exposition(wait_s=0.05), Hung()
    exposition.add(hung)
    with ThreadPoolExecutor(1) as first:
        answer = first.submit(exposition.text)
        assert hung.asked.wait(30)
        with pytest.raises(Overloaded, match="does not answer"):
            exposition.text()
        hung.answers.set()

    assert b"dialerd_files 7.0" in answer.result(30)
    assert b"dialerd_files 7.0" in exposition.text()
