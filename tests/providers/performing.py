"""One attempt at a time."""

from typing import Any

import pytest

from dialerd.core.errors import DeliveryError
from dialerd.providers.http import perform
from dialerd.providers.wire import Reply, Request
from tests.providers.cloud import Answer, Cloud
from tests.providers.sample import Sample
from tests.providers.samples import account

READ = Request("GET", "/messages/x1")


def reply(cloud: Cloud, request: Request, **settings: Any) -> Reply:
    return perform(account(Sample, cloud, **settings), request, sending=True)


def error(cloud: Cloud, answer: Answer, request: Request = READ, **settings: Any) -> DeliveryError:
    cloud.answers = [answer]
    with pytest.raises(DeliveryError) as caught:
        reply(cloud, request, **settings)
    return caught.value
