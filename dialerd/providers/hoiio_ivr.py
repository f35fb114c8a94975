"""Hoiio's sessions: a call that is led step by step, each begun when a notification says that the one before
is over (openapi.hoiio.com, IVR API)."""

from dataclasses import dataclass

from dialerd.core.errors import Rejected
from dialerd.core.receipts import Errand, Receipt
from dialerd.core.tasks import Ivr
from dialerd.providers.base import text
from dialerd.providers.hoiio_api import HoiioApi, spoken
from dialerd.providers.hoiio_words import answer, needed
from dialerd.providers.wire import Reply, Request


@dataclass(frozen=True, kw_only=True)
class HoiioIvr(HoiioApi):
    """Sessions. `callback` is the address for notifications: without one, Hoiio hangs up after a step."""

    def ivr_dial(self, errand: Errand) -> Request:
        """Raises Rejected for steps that no notification could drive: the phone would ring for nothing."""
        task = errand.task
        assert isinstance(task, Ivr)
        if errand.callback is None and any(step.verb != "hangup" or step.message for step in task.steps):
            raise Rejected(
                "Hoiio tells by a notification when the next step is due, and there is no address for one:"
                " let the administrator set public_url under [listener]."
            )
        return self.post(
            "/ivr/start/dial",
            ("dest", errand.to[0]),
            ("msg", spoken(task.message)),
            ("caller_id", task.caller_id),
            ("max_duration", task.longest),
            ("tag", errand.reference),
            ("notify_url", errand.callback),
            extra=task.extra,
        )

    def read_ivr_dial(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        found = answer(reply, acts=True)
        return Receipt(ref=needed(found, "txn_ref"), session=needed(found, "session"), raw=found)

    def ivr_play(
        self, session: str, message: str | None = None, tag: str | None = None, callback: str | None = None
    ) -> Request:
        """Says something."""
        return self._step("middle/play", session, message, tag, callback)

    def read_ivr_play(self, reply: Reply) -> Receipt:
        """The steps answer that they were begun; a transfer to a new room also names it.

        Raises DeliveryError, Unreadable.
        """
        found = answer(reply, acts=True)
        return Receipt(room=text(found.get("room")), raw=found)

    def ivr_gather(
        self,
        session: str,
        message: str | None = None,
        max_digits: int | None = None,
        timeout: int | None = None,
        attempts: int | None = None,
        tag: str | None = None,
        callback: str | None = None,
    ) -> Request:
        """Asks for digits. Hoiio refuses it without a callback."""
        fields = (("max_digits", max_digits), ("timeout", timeout), ("attempts", attempts))
        return self._step("middle/gather", session, message, tag, callback, *fields)

    read_ivr_gather = read_ivr_play

    def ivr_record(
        self,
        session: str,
        message: str | None = None,
        longest: int | None = None,
        tag: str | None = None,
        callback: str | None = None,
    ) -> Request:
        """Records what is said. Hoiio refuses it without a callback."""
        return self._step("middle/record", session, message, tag, callback, ("max_duration", longest))

    read_ivr_record = read_ivr_play

    def ivr_monitor(
        self, session: str, message: str | None = None, tag: str | None = None, callback: str | None = None
    ) -> Request:
        """Records the call from here on. Hoiio refuses it without a callback."""
        return self._step("middle/monitor", session, message, tag, callback)

    read_ivr_monitor = read_ivr_play

    def ivr_transfer(
        self,
        session: str,
        dest: str,
        message: str | None = None,
        caller_id: str | None = None,
        on_failure: str | None = None,
        tag: str | None = None,
        callback: str | None = None,
    ) -> Request:
        """Connects the call with a number, or with room:NAME, which goes out as it is."""
        return self.post(
            "/ivr/end/transfer",
            ("session", session),
            ("dest", dest),
            ("msg", spoken(message)),
            ("caller_id", caller_id),
            ("on_failure", on_failure),
            ("tag", tag),
            ("notify_url", callback),
        )

    read_ivr_transfer = read_ivr_play

    def ivr_hangup(
        self, session: str, message: str | None = None, tag: str | None = None, callback: str | None = None
    ) -> Request:
        """Ends the session: after the message, or else at once, whatever goes on (force)."""
        forced = ("force", None if message else "enabled")
        return self._step("end/hangup", session, message, tag, callback, forced)

    read_ivr_hangup = read_ivr_play

    def _step(
        self,
        block: str,
        session: str,
        message: str | None,
        tag: str | None,
        callback: str | None,
        *fields: tuple[str, str | int | None],
    ) -> Request:
        said, about = ("msg", spoken(message)), (("tag", tag), ("notify_url", callback))
        return self.post(f"/ivr/{block}", ("session", session), said, *fields, *about)
