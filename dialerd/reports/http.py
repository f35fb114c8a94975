"""Sends a report by HTTP: one POST, of whose answer only the head is read (dialerd/http)."""

from collections.abc import Mapping
from pathlib import Path

from dialerd import http
from dialerd.core.addresses import may_connect
from dialerd.http import Failed, Forbidden, Limits, Manner, Network, Outgoing
from dialerd.reports.ports import Undelivered

CONNECT_S = 5.0
READ_S = 10.0
"""The longest silence of a receiver."""

_OF_THIS_REPORT = frozenset({400, 409, 413, 415, 422})
"""Answers that say something of what was sent; all others, of the receiver."""


class Post:
    """Sends. `resolve` and `connect` are the network."""

    def __init__(self, resolve: http.Resolve = http.resolve, connect: http.Connect = http.connect) -> None:
        self._network = Network(resolve, connect)

    def send(
        self,
        url: str,
        headers: Mapping[str, str],
        body: bytes,
        *,
        seconds: float,
        private: bool = False,
        ca_file: Path | None = None,
    ) -> None:
        """One try, over after `seconds` from the first connection on. Raises Undelivered for every answer
        but 2xx, and for none."""
        limits = Limits(CONNECT_S, min(READ_S, seconds), seconds)
        manner = Manner(limits, lambda address: may_connect(address, private), ca_file)
        out = Outgoing("POST", url, {"Content-Type": "application/json", **headers}, body)
        try:
            answer = self._network.exchange(out, manner)
        except Forbidden as error:
            raise Undelivered(_not_public(error.host, error.address, private), wide=True) from None
        except Failed as error:
            raise Undelivered(str(error), wide=True) from None
        _judge(answer.status)


def _judge(status: int) -> None:
    if 200 <= status < 300:
        return
    if status == 410:
        why = "The receiver answers 410 Gone: it wants no more reports. Take it out of the configuration."
        raise Undelivered(why, wide=True, final=True)
    if 300 <= status < 400:
        why = (
            f"The receiver answers {status}, a redirect, which is not followed: give the address it leads to."
        )
        raise Undelivered(why, wide=True)
    raise Undelivered(f"The receiver answers {status}.", wide=status not in _OF_THIS_REPORT)


def _not_public(host: str, address: str, private: bool) -> str:
    if private:
        return f"{host} leads to {address}, which no report may go to."
    return (
        f"{host} leads to {address}, which is not on the public internet: nothing is sent there."
        " The administrator can allow own networks with allow_private = true."
    )
