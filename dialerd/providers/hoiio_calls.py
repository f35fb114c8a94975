"""Hoiio's calls: two numbers that are connected, a message that is said, and conferences (openapi.hoiio.com,
Voice API and Conference API)."""

from dataclasses import dataclass
from datetime import datetime

from dialerd.core.callbacks import Unreadable
from dialerd.core.receipts import Errand, Page, Price, Receipt
from dialerd.core.tasks import Conference, Script
from dialerd.providers.base import text
from dialerd.providers.hoiio_api import HoiioApi, in_language, ours, shown, spoken
from dialerd.providers.hoiio_words import answer, call, page, price, sent
from dialerd.providers.wire import Reply, Request


@dataclass(frozen=True, kw_only=True)
class HoiioCalls(HoiioApi):
    """Calls and conferences."""

    def voice_connect(self, errand: Errand) -> Request:
        """The job's number is rung first, or the account's own phone where it has none; then `connect`."""
        script = _script(errand)
        return self.post(
            "/voice/call",
            ("dest1", errand.to[0] if errand.to else None),
            ("dest2", script.connect),
            ("caller_id", shown(errand.call)),
            ("max_duration", script.longest),
            *ours(errand),
            extra=script.extra,
        )

    def read_voice_connect(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return sent(reply, "txn_ref")

    def voice_say(self, errand: Errand) -> Request:
        """A session of one message. Without an address for notifications, Hoiio hangs up after it."""
        script = _script(errand)
        return self._tell(errand, script, in_language(script.say or "", script.language))

    read_voice_say = read_voice_connect

    def voice_play(self, errand: Errand) -> Request:
        """The same with a sound."""
        script = _script(errand)
        return self._tell(errand, script, spoken(script.play_url))

    read_voice_play = read_voice_connect

    def voice_conference(self, errand: Errand) -> Request:
        """Calls all numbers into a room; with the name of one that is in use, they join it."""
        task = errand.task
        assert isinstance(task, Conference)
        return self.post(
            "/" + self.options.get("conference", "conference/call").strip("/"),
            ("dest", ",".join(errand.to)),
            ("room", task.room),
            ("caller_id", task.caller_id),
            *ours(errand),
            extra=task.extra,
        )

    def read_voice_conference(self, reply: Reply) -> Receipt:
        """The ids stand in the order of the numbers, as a list or (older) between commas. Raises
        DeliveryError, Unreadable."""
        found = answer(reply, acts=True)
        told = found.get("txn_refs")
        refs = [
            str(each).strip() for each in (told if isinstance(told, list) else str(told or "").split(","))
        ]
        if not refs or not all(refs):
            raise Unreadable("its answer has no txn_refs")
        called = dict(reply.request.form or ()).get("dest", "").split(",") if reply.request else []
        return Receipt(
            ref=refs[0],
            room=text(found.get("room")),
            refs=dict(zip(called, refs, strict=False)),
            raw=found,
        )

    def voice_hangup(self, ref: str) -> Request:
        """Ends a call, or the part of one number in a conference."""
        return self.post("/voice/hangup", ("txn_ref", ref))

    def read_voice_hangup(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return Receipt(raw=answer(reply, acts=True))

    def voice_status(self, ref: str) -> Request:
        """What became of a call."""
        return self.post("/voice/query_status", ("txn_ref", ref))

    def read_voice_status(self, reply: Reply) -> Receipt:
        """Raises DeliveryError, Unreadable."""
        return call(answer(reply))

    def voice_history(
        self, since: datetime | None = None, until: datetime | None = None, cursor: str | None = None
    ) -> Request:
        """Calls."""
        return self.history("/voice/get_history", since, until, cursor)

    def read_voice_history(self, reply: Reply) -> Page:
        """Raises DeliveryError, Unreadable."""
        return page(reply, call)

    def voice_find(self, errand: Errand, cursor: str | None = None) -> Request:
        """Calls of the attempt's day, with their tags."""
        return self.around("/voice/get_history", errand, cursor)

    read_voice_find = read_voice_history

    def voice_rate(self, first: str, second: str | None = None) -> Request:
        """What a call costs."""
        return self.post("/voice/get_rate", ("dest1", first), ("dest2", second))

    def read_voice_rate(self, reply: Reply) -> Price:
        """Raises DeliveryError, Unreadable."""
        return price(reply, "minute")

    def _tell(self, errand: Errand, script: Script, said: str | None) -> Request:
        return self.post(
            "/ivr/start/dial",
            ("dest", errand.to[0]),
            ("msg", said),
            ("caller_id", shown(errand.call)),
            ("max_duration", script.longest),
            ("tag", errand.reference),
            extra=script.extra,
        )


def _script(errand: Errand) -> Script:
    return errand.call.script or Script()
