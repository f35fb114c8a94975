"""Xoxzo: text messages, calls that play an MP3 or speak a text, conferences, dial-in numbers (DIN).

Facts are from docs.xoxzo.com (SMS, voice, DIN, README) and blog.xoxzo.com (tags, conferences, callbacks).

What Xoxzo does not answer: there is no list of calls, so a call whose answer was lost is known again by its
callback, or not at all. The words for a call's state are not documented: known ones end a call, others wait.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from urllib.parse import quote

from dialerd.core.callbacks import Answer, Callback
from dialerd.core.errors import DeliveryError, Mistake, NotServed, Rejected, Unavailable
from dialerd.core.model import Call
from dialerd.core.receipts import Errand, Page, Receipt, Told
from dialerd.core.segments import Limits
from dialerd.core.tasks import Conference, Extra, NumberOrder, Script, Sms, Task
from dialerd.providers import xoxzo_answers as answers
from dialerd.providers import xoxzo_limits as limits
from dialerd.providers.base import Provider
from dialerd.providers.wire import Pairs, Reply, Request, basic

_MESSAGES = "/sms/messages/"
_PLAYBACKS = "/voice/simple/playbacks/"
_SUBSCRIPTIONS = "/voice/dins/subscriptions/"

_PARAMETERS = frozenset(
    {"callbackurl", "tags", "track_link", "lt_callbackurl", "jp_kp", "jp_kpl", "jp_kp_sender"}
)
"""What a message may have beside its text: in `extra` of a template, everything else fills it in."""

_THROTTLED = re.compile(r"available in ([0-9]{1,6})")
_ONLY_RECIPIENT = re.compile(r'\s*\{\s*"recipient"\s*:\s*\[[^\]]*\]\s*\}\s*')
_COMPLAINT = re.compile(r'"(\w{1,40})"\s*:\s*\[?\s*"([^"]{1,300})"')


@dataclass(frozen=True, kw_only=True)
class Xoxzo(Provider):
    """An account: `account` is the SID of an API user, `secret` its auth token."""

    TYPE = "xoxzo"
    BASE_URL = "https://api.xoxzo.com"
    SEGMENTS = Limits(140, 132, 70, 66, ascii=True)
    OPTIONS: ClassVar[Mapping[str, str]] = {
        "sender": "the sender of messages that name none",
        "caller_id": "the number that calls show which name none",
        "language": "the language of spoken texts that name none, such as en or ja",
    }

    @property
    def authorization(self) -> str:
        """SID and auth token."""
        return basic(self.account, self.secret.value)

    def sms_send(self, errand: Errand) -> Request:
        """Our reference is the first of the tags. A template is filled with what stands in `extra` beside the
        parameters that Xoxzo knows."""
        task = errand.task
        assert isinstance(task, Sms)
        sender = _plain(task.sender or self.options.get("sender"))
        about = (("callbackurl", errand.callback), ("tags", _tags(errand, task.extra)))
        if task.template is None:
            fields = (("message", task.body), ("recipient", errand.to[0]), ("sender", sender), *about)
            return Request("POST", _MESSAGES, form=_merged(fields, task.extra))
        parameters = tuple(pair for pair in task.extra if pair[0] in _PARAMETERS)
        return Request(
            "POST",
            f"/sms/templates/{quote(task.template, safe='')}/messages/",
            json={
                "sender": sender,
                "recipient": errand.to[0],
                "variables": {name: value for name, value in task.extra if name not in _PARAMETERS},
                **dict(_merged(about, parameters)),
            },
        )

    def read_sms_send(self, reply: Reply) -> Receipt:
        """Raises Unreadable."""
        return answers.message(answers.record(reply, "msgid"))

    def sms_status(self, ref: str) -> Request:
        """Check SMS status."""
        return Request("GET", f"{_MESSAGES}{quote(ref, safe='')}/")

    def read_sms_status(self, reply: Reply) -> Receipt:
        """Raises Unreadable."""
        return answers.message(answers.record(reply, "msgid"))

    def sms_history(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        incoming: bool = False,
        cursor: str | None = None,
    ) -> Request:
        """Whole days (UTC), at most 90 days back. Raises Rejected for what comes in: Xoxzo ended that in
        2024."""
        if incoming:
            raise Rejected("Xoxzo receives no messages any more: ask without --incoming.")
        return Request("GET", _MESSAGES, query=_sent(since, until))

    def read_sms_history(self, reply: Reply) -> Page:
        """Raises Unreadable."""
        return Page(tuple(map(answers.message, answers.records(reply))))

    def sms_find(self, errand: Errand, cursor: str | None = None) -> Request:
        """The messages of the days around the attempt; their tags hold our references."""
        day = timedelta(days=1)
        since, until = (errand.begun - day, errand.begun + day) if errand.begun is not None else (None, None)
        return Request("GET", _MESSAGES, query=_sent(since, until))

    def read_sms_find(self, reply: Reply) -> Page:
        """Raises Unreadable."""
        return self.read_sms_history(reply)

    def voice_play(self, errand: Errand) -> Request:
        """Simple playback of an MP3."""
        script = errand.call.script or Script()
        return self._playback(errand, script.extra, ("recording_url", script.play_url))

    def read_voice_play(self, reply: Reply) -> Receipt:
        """Raises Unreadable."""
        return answers.call(answers.record(reply, "callid"))

    def voice_say(self, errand: Errand) -> Request:
        """The same address, with a text in place of the MP3."""
        script = errand.call.script or Script()
        language = script.language or self.options.get("language")
        return self._playback(errand, script.extra, ("tts_message", script.say), ("tts_lang", language))

    def read_voice_say(self, reply: Reply) -> Receipt:
        """Raises Unreadable."""
        return answers.call(answers.record(reply, "callid"))

    def voice_conference(self, errand: Errand) -> Request:
        """Two or three numbers (blog.xoxzo.com, 2017-11-07 and 2018-07-03)."""
        task = errand.task
        assert isinstance(task, Conference)
        fields = (
            ("caller", task.caller_id or self._caller(errand.call)),
            ("participants", ",".join(errand.to)),
            ("callbackurl", errand.callback),
        )
        return Request("POST", "/voice/simple/conferences/", form=_merged(fields, task.extra))

    def read_voice_conference(self, reply: Reply) -> Receipt:
        """Raises Unreadable."""
        return answers.conference(reply)

    def voice_status(self, ref: str) -> Request:
        """Of a call, or of a conference."""
        if ref.startswith(answers.CONFERENCE):
            return Request("GET", f"/voice/simple/{quote(ref)}/")
        return Request("GET", f"/voice/calls/{quote(ref, safe='')}/")

    def read_voice_status(self, reply: Reply) -> Receipt:
        """Raises Unreadable."""
        return answers.call(answers.record(reply))

    def numbers_search(
        self,
        country: str | None = None,
        area: str | None = None,
        starts_with: str | None = None,
        contains: str | None = None,
        ends_with: str | None = None,
        place: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Request:
        """By country, or by first digits with the country code; Xoxzo refuses all else. Raises Rejected for
        that. `limit` is the asker's own matter: the list comes whole."""
        if area or contains or ends_with or place or (country and starts_with):
            raise Rejected(
                "Xoxzo finds numbers by their country, or by their first digits with the country code (813):"
                " ask with --country or --starts-with alone."
            )
        prefix = starts_with.strip().lstrip("+") if starts_with else None
        query = (("country", country.upper() if country else None), ("prefix", prefix))
        return Request("GET", "/voice/dins/", query=_merged(query, ()))

    def read_numbers_search(self, reply: Reply) -> Page:
        """Raises Unreadable."""
        return Page(tuple(map(answers.number, answers.records(reply))))

    def numbers_list(self, cursor: str | None = None) -> Request:
        """The account's subscriptions."""
        return Request("GET", _SUBSCRIPTIONS)

    def read_numbers_list(self, reply: Reply) -> Page:
        """Raises Unreadable."""
        return self.read_numbers_search(reply)

    def numbers_buy(self, errand: Errand) -> Request:
        """Subscribe; the first month is charged at once."""
        return Request("POST", _SUBSCRIPTIONS, form=(("din_uid", _order(errand).subject),))

    def read_numbers_buy(self, reply: Reply) -> Receipt:
        """Raises Unreadable."""
        return answers.done(reply)

    def numbers_configure(self, errand: Errand) -> Request:
        """Set the action URL, which is asked what becomes of a call that comes in."""
        order = _order(errand)
        return Request("POST", _subscription(order), form=(("action_url", limits.action_url(order)),))

    def read_numbers_configure(self, reply: Reply) -> Receipt:
        """Raises Unreadable."""
        return answers.done(reply)

    def numbers_release(self, errand: Errand) -> Request:
        """Unsubscribe."""
        return Request("DELETE", _subscription(_order(errand)))

    def read_numbers_release(self, reply: Reply) -> Receipt:
        """Raises Unreadable."""
        return answers.done(reply)

    def refusal(self, reply: Reply) -> DeliveryError | None:
        """Xoxzo writes into the body how long to wait. A number that it finds fault with, and nothing else,
        is one that it does not serve: dialerd sends only to numbers that exist."""
        said = reply.text()
        if reply.status == 429:
            wait = reply.headers.get("retry-after") or ""
            found = _THROTTLED.search(said)
            seconds = float(wait) if wait.isdecimal() else float(found[1]) if found else None
            return Unavailable("Xoxzo has too many requests for now. Nothing was done.", retry_after=seconds)
        if reply.status == 400 and _ONLY_RECIPIENT.fullmatch(said):
            return NotServed(f"Xoxzo does not take this number: {self.complaint(reply)}")
        return None

    def complaint(self, reply: Reply) -> str:
        """{"field": ["sentence"]} or {"detail": "sentence"}."""
        said = _COMPLAINT.findall(reply.text()[:4000])
        return "; ".join(what if name == "detail" else f"{name}: {what}" for name, what in said)

    def objections(self, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
        """Of everything that it does (xoxzo_limits.py)."""
        return limits.against(self.options, kind, call, task)

    def told(self, callback: Callback) -> list[Told]:
        """Callbacks of messages and calls resemble the status. How they are written is not documented, so
        form, JSON and query are all read. Caller and recipient alone are a call that comes in. Raises
        Unreadable."""
        return answers.told(callback)

    def acknowledgement(self, callback: Callback, action: str | None) -> Answer:
        """A call that comes in is answered with one line of text: playback URL, say LANG "text", transfer
        NUMBER, or voicemail say LANG "text"."""
        return Answer(text=(action or "").strip())

    def _caller(self, call: Call) -> str | None:
        return call.caller_id_number or self.options.get("caller_id")

    def _playback(self, errand: Errand, extra: Extra, *what: tuple[str, str | None]) -> Request:
        fields = (
            ("caller", self._caller(errand.call)),
            ("recipient", errand.to[0]),
            *what,
            ("callbackurl", errand.callback),
            ("tags", _tags(errand, extra)),
        )
        return Request("POST", _PLAYBACKS, form=_merged(fields, extra))


def _order(errand: Errand) -> NumberOrder:
    assert isinstance(errand.task, NumberOrder)
    return errand.task


def _subscription(order: NumberOrder) -> str:
    return f"{_SUBSCRIPTIONS}{quote(order.subject, safe='')}/"


def _plain(sender: str | None) -> str | None:
    """Senders go without +."""
    return None if sender is None else sender.removeprefix("+")


def _tags(errand: Errand, extra: Extra) -> str:
    return ",".join((errand.reference, *(value for name, value in extra if name == "tags")))


def _merged(fields: Iterable[tuple[str, str | None]], extra: Extra) -> Pairs:
    """The fields that have a value, then the job's own, which stand in place of ours with the same name; but
    our tags hold the job's."""
    theirs = tuple(pair for pair in extra if pair[0] != "tags")
    names = {name for name, _ in theirs}
    return (*((name, value) for name, value in fields if value is not None and name not in names), *theirs)


def _sent(since: datetime | None, until: datetime | None) -> Pairs:
    """The operator stands between name and date, so that "sent_date>" is a name (it goes out as %3E, as from
    Xoxzo's own SDK). Days are UTC."""
    first, last = (str(when.astimezone(UTC).date()) if when else "" for when in (since, until))
    if first and first == last:
        return (("sent_date", first),)
    return tuple((name, day) for name, day in (("sent_date>", first), ("sent_date<", last)) if day)
