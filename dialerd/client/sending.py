"""Jobs for providers: messages, faxes, calls, conferences, sessions, orders of numbers (docs/messages.md).

Each method submits a job and returns when it is on disk; `fields` are further fields of its document
(docs/jobs.md), such as provider, key, batch, tags, not_before.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from dialerd.client.asking import Asks
from dialerd.client.errors import raise_problem
from dialerd.client.fields import Submitted
from dialerd.client.wire import LostConnection, Wire

T = TypeVar("T")
To = str | Sequence[str]
_TYPES = {b"%PDF": "application/pdf", b"II*\0": "image/tiff", b"MM\0*": "image/tiff"}
"""Media types by how a file begins (ISO 32000, TIFF 6.0)."""
_ID_LENGTH = 64
ORDERS = {
    "buy": "numbers.buy",
    "configure": "numbers.configure",
    "release": "numbers.release",
    "create-route": "routes.create",
    "set-primary": "routes.set_primary",
    "set-failover": "routes.set_failover",
}
"""The operation that each order is."""


class Sends(Asks, Protocol):
    """What the client lends for jobs and bodies that are no JSON."""

    _wire: Wire

    def submit_document(self, document: Mapping[str, Any]) -> Submitted: ...

    def upload(self, content: bytes, media_type: str | None = None) -> dict[str, Any]: ...

    def only_provider(self, operation: str) -> str: ...

    def _patiently(self, once: Callable[[], T], again: bool = True) -> T: ...


class Orders(Protocol):
    """Who orders."""

    def order(
        self, order: str, number: str | None, details: Mapping[str, Any], **fields: Any
    ) -> Submitted: ...


class Sending:
    """The client's methods that submit jobs for providers."""

    def upload(self: Sends, content: bytes, media_type: str | None = None) -> dict[str, Any]:
        """Hands a document in (PDF or TIFF), for faxes: `document` is its id, the same for the same bytes.

        Raises Refused for what can't be faxed.
        """
        kind = media_type or _TYPES.get(content[:4], "application/pdf")

        def once() -> tuple[int, dict[str, Any]]:
            reply = self._wire.request("POST", "/v1/documents", {"Content-Type": kind}, content)
            try:
                return reply.status, json.loads(reply.body())
            except ValueError:
                raise LostConnection("its answer is not JSON") from None

        status, answer = self._patiently(once)
        if status >= 400:
            raise_problem(status, answer)
        return answer

    def sms_send(self: Sends, to: To, body: str | None = None, **fields: Any) -> Submitted:
        """Sends a text message, or with media=[addresses] an MMS; to each of several numbers.

        Fields: sender, template (in place of body), media, urgent, bulk, extra, ...
        """
        return self.submit_document(_job("sms", to=to, body=body, **fields))

    def fax_send(
        self: Sends,
        to: To,
        document: bytes | str | os.PathLike[str],
        filename: str | None = None,
        **fields: Any,
    ) -> Submitted:
        """Sends a fax. `document` is its bytes, the path of a file, or the id that `upload` gave.

        Fields: caller_id, header (the line on top of each page), extra, ...
        """
        name = filename
        if isinstance(document, (str, os.PathLike)) and not _is_id(document):
            from pathlib import Path

            name = filename or Path(document).name
            document = Path(document).read_bytes()
        given = str(self.upload(document)["document"]) if isinstance(document, bytes) else document
        return self.submit_document(_job("fax", to=to, document=given, filename=name, **fields))

    def voice_connect(self: Sends, first: To | None, second: str, **fields: Any) -> Submitted:
        """Calls the first number, and connects it with the second. First None: the account's own number.

        Fields: caller_id, wait_time, longest (seconds), record, extra, ...
        """
        return self.submit_document(_job("call", to=first, connect=second, **fields))

    def voice_flow(self: Sends, to: To, flow: str, **fields: Any) -> Submitted:
        """Calls a number, and connects it to a flow or app of the account."""
        return self.submit_document(_job("call", to=to, flow=flow, **fields))

    def voice_play(self: Sends, to: To, url: str, **fields: Any) -> Submitted:
        """Calls a number, and plays the MP3 at an address."""
        return self.submit_document(_job("call", to=to, play_url=url, **fields))

    def voice_say(self: Sends, to: To, text: str, language: str | None = None, **fields: Any) -> Submitted:
        """Calls a number, and speaks a text."""
        return self.submit_document(_job("call", to=to, say=text, language=language, **fields))

    def conference(self: Sends, to: To, room: str | None = None, **fields: Any) -> Submitted:
        """Calls several numbers, which meet in a room. With the room of a conference under way: adds them."""
        several = [to] if isinstance(to, str) else list(to)
        return self.submit_document(_job("conference", to=several, room=room, **fields))

    def ivr(
        self: Sends,
        to: str,
        steps: Sequence[Mapping[str, Any]] | None = None,
        message: str | None = None,
        **fields: Any,
    ) -> Submitted:
        """Calls a number, says the message, and goes through steps: {"gather": {"message": ...}}, ...

        Without steps the session waits for those that are given by hand, such as by ivr_gather.
        """
        given = [dict(step) for step in steps or ()] or None
        return self.submit_document(_job("ivr", to=to, steps=given, message=message, **fields))

    def order(
        self: Sends,
        order: str,
        number: str | None,
        details: Mapping[str, Any],
        provider: str | None = None,
        **fields: Any,
    ) -> Submitted:
        """Orders a change of numbers or routes; the methods below name each. `provider` may be left out where
        only one can do it: an order never goes to another one by itself."""
        given = {name: str(value) for name, value in details.items() if value is not None} or None
        name = provider or self.only_provider(ORDERS[order])
        return self.submit_document(
            _job("number", order=order, number=number, details=given, provider=name, **fields)
        )

    def numbers_buy(
        self: Orders, number: str, details: Mapping[str, Any] | None = None, **fields: Any
    ) -> Submitted:
        """Subscribes to a number (or the provider's id of it). This costs money."""
        return self.order("buy", number, details or {}, **fields)

    def numbers_configure(self: Orders, number: str, details: Mapping[str, Any], **fields: Any) -> Submitted:
        """Says where calls and messages for a number go: forward_to, forward_sms_to, action_url, ..."""
        return self.order("configure", number, details, **fields)

    def numbers_release(self: Orders, number: str, **fields: Any) -> Submitted:
        """Gives a number up."""
        return self.order("release", number, {}, **fields)

    def routes_create(
        self: Orders, type: str, value: str, alias: str | None = None, **fields: Any
    ) -> Submitted:
        """Makes a route for calls that come in: type is host, number, uri or sip-reg."""
        return self.order("create-route", value, {"type": type, "alias": alias}, **fields)

    def routes_set_primary(self: Orders, number: str, route: str, **fields: Any) -> Submitted:
        """Sends a number's calls to a route."""
        return self.order("set-primary", number, {"route": route}, **fields)

    def routes_set_failover(self: Orders, number: str, route: str, **fields: Any) -> Submitted:
        """Sends a number's calls to a route where the primary one fails."""
        return self.order("set-failover", number, {"route": route}, **fields)


def _job(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, **{name: value for name, value in fields.items() if value is not None}}


def _is_id(document: object) -> bool:
    """Whether this is a document's id, the SHA-256 of its bytes in hex."""
    return (
        isinstance(document, str) and len(document) == _ID_LENGTH and set(document) <= set("0123456789abcdef")
    )
