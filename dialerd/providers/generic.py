"""The generic provider: one that is only configuration, for gateways with a plain HTTP interface.

The tables sms, say, connect and status of its section say how a request is made; the others what answers and
callbacks mean (generic_settings.py, docs/providers.md). A gateway such as Kannel, which wants the password in
the address and gives back no id, is written like this:

    [providers.kannel]
    type = "generic"
    base_url = "http://192.168.1.5:13013"
    plain_http = true
    account = "dialerd"
    secret_file = "/etc/dialerd/kannel.secret"

    [providers.kannel.sms]
    method = "GET"
    path = "/cgi-bin/sendsms"
    success = "^[03]: "

    [providers.kannel.sms.query]
    username = "{account}"
    password = "{secret}"
    to = "{to}"
    from = "{sender}"
    text = "{body}"
    charset = "UTF-8"
    coding = "2"
    dlr-mask = "31"
    dlr-url = "{callback}&type=%d"

    [providers.kannel.receipts]
    word = "type"

    [providers.kannel.words]
    1 = "DELIVERED"
    2 = "UNDELIVERED"
    8 = "handed_on"
    16 = "FAILED"
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from dialerd.core.callbacks import Callback, Unreadable
from dialerd.core.errors import ConfigError, DeliveryError, Mistake, Rejected
from dialerd.core.model import Call
from dialerd.core.receipts import Errand, Message, Receipt, Told
from dialerd.core.tasks import Extra, Script, Sms, Task
from dialerd.providers.base import Provider, text, whole
from dialerd.providers.generic_settings import TABLES, GenericSettings, Template, parse
from dialerd.providers.generic_text import (
    Values,
    filled_json,
    from_fields,
    headers,
    in_path,
    pairs,
    quote_for,
)
from dialerd.providers.wire import Reply, Request, basic

LONGEST_COMPLAINT = 200

_TEMPLATES = {"sms.send": "sms", "sms.status": "status", "voice.say": "say", "voice.connect": "connect"}
"""Operations by the tables that they need."""


@dataclass(frozen=True, kw_only=True)
class Generic(Provider):
    """A gateway. `settings` are what its options say. Raises ConfigError with every mistake in them."""

    settings: GenericSettings = field(init=False, repr=False, compare=False)

    TYPE: ClassVar[str] = "generic"
    BASE_URL: ClassVar[str] = ""
    NEEDS_ACCOUNT: ClassVar[bool] = False
    NEEDS_SECRET: ClassVar[bool] = False
    TABLES: ClassVar[frozenset[str]] = TABLES
    OPTIONS: ClassVar[Mapping[str, str]] = {
        "base_url": "!where the gateway is",
        "sms": "how a message is sent",
        "say": "how a call is made that speaks a text",
        "connect": "how a call is made that connects two numbers",
        "status": "how a message is asked after",
        "receipts": "the fields of its callbacks",
        "incoming": "the fields of messages that come in",
        "words": "what its words for states mean",
        "refused": "which answers are refusals",
        "complaint": "where an error's text is in its answer (a path into JSON)",
        "auth": "how it is shown who asks: none, basic or bearer",
        "sender": "the sender of messages that name none",
        "caller_id": "the number that calls show which name none",
    }

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", parse(self.options))

    @classmethod
    def against_options(cls, options: Mapping[str, Any]) -> Iterator[Mistake]:
        """Every mistake in the tables."""
        try:
            parse(options)
        except ConfigError as error:
            yield from error.mistakes

    def available(self) -> frozenset[str]:
        """What there are tables for."""
        return frozenset(name for name, table in _TEMPLATES.items() if table in self.settings.templates)

    @property
    def authorization(self) -> str | None:
        """By `auth`."""
        if self.settings.auth == "basic":
            return basic(self.account, self.secret.value)
        return f"Bearer {self.secret.value}" if self.settings.auth == "bearer" else None

    def sms_send(self, errand: Errand) -> Request:
        """Sends a message."""
        task = errand.task
        assert isinstance(task, Sms)
        values = {
            "sender": task.sender or self._option("sender"),
            "body": task.body,
            "template": task.template,
        }
        return self._request("sms", errand, values, task.extra)

    def read_sms_send(self, reply: Reply) -> Receipt:
        """A message that was taken. Raises Unreadable, and what the table of refusals says."""
        return self._taken("sms", reply)

    def sms_status(self, ref: str) -> Request:
        """What became of a message."""
        return self._made("status", {**self._account(), "ref": ref}, ref)

    def read_sms_status(self, reply: Reply) -> Receipt:
        """The state of a message. Raises Unreadable, and what the table of refusals says."""
        template = self._accepted("status", reply)
        answer = reply.text()
        found = {name: each.find(answer) for name, each in template.found.items()}
        if not found.get("word"):
            raise Unreadable("its answer has no word for the state")
        ref = found.get("id") or (reply.request.reference if reply.request else None)
        return self._told(ref, None, found, {})

    def voice_say(self, errand: Errand) -> Request:
        """Makes a call that speaks a text."""
        script = errand.call.script or Script()
        values = {**self._of_call(errand), "body": script.say, "language": script.language}
        return self._request("say", errand, values, script.extra)

    def read_voice_say(self, reply: Reply) -> Receipt:
        """A call that was begun. Raises Unreadable, and what the table of refusals says."""
        return self._taken("say", reply)

    def voice_connect(self, errand: Errand) -> Request:
        """Makes a call that connects two numbers."""
        script = errand.call.script or Script()
        connect = script.connect or ""
        values = {"connect": connect, "connect_digits": connect.removeprefix("+")}
        return self._request("connect", errand, {**self._of_call(errand), **values}, script.extra)

    def read_voice_connect(self, reply: Reply) -> Receipt:
        """A call that was begun. Raises Unreadable, and what the table of refusals says."""
        return self._taken("connect", reply)

    def refusal(self, reply: Reply) -> DeliveryError | None:
        """By the table `refused`."""
        answer = reply.text()
        for each in self.settings.refused:
            if each.fits(reply.status, answer):
                words = self.complaint(reply).rstrip(". ")
                return each.verdict(f"The gateway refuses it{f': {words}' if words else ''}.")
        return None

    def complaint(self, reply: Reply) -> str:
        """What `complaint` points to, else the first line of a plain text; without the secret."""
        answer = reply.text()
        if self.settings.complaint is not None:
            found = self.settings.complaint.find(answer) or ""
        else:
            found = "" if answer.lstrip()[:1] in ("<", "{", "[") else answer.strip().partition("\n")[0]
        if self.secret.value:
            found = found.replace(self.secret.value, "…")
        return found[:LONGEST_COMPLAINT]

    def objections(self, kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
        """What the tables have no place for."""
        if len(call.to) != 1:
            yield Mistake("to", "This provider takes one number a request: give one.")
        if isinstance(task, Sms):
            yield from self._against_message(task)
        elif task is None and call.script is not None:
            yield from self._against_script(call.script)

    def tells(self) -> bool:
        """Whether the configuration says what its receipts look like."""
        return bool(self.settings.receipts)

    def told(self, callback: Callback) -> list[Told]:
        """A receipt, by the fields of `receipts`, or a message that came in, by those of `incoming`. Raises
        Unreadable."""
        fields = callback.fields()
        found = self._fields(self.settings.receipts, callback)
        reference = found.get("reference") or fields.get("ref")
        if found.get("word") and (found.get("ref") or reference):
            return [self._told(found.get("ref"), reference, found, fields)]
        found = self._fields(self.settings.incoming, callback)
        ref, sender = found.get("ref"), found.get("sender")
        if ref and sender:
            return [Message("sms", ref, sender, found.get("dest") or "", found.get("body") or "", raw=fields)]
        raise Unreadable("it has none of the fields that the configuration names")

    def _option(self, name: str) -> str | None:
        return text(self.options.get(name))

    def _account(self) -> Values:
        return {"account": self.account, "secret": self.secret.value}

    def _of_call(self, errand: Errand) -> dict[str, str | None]:
        script = errand.call.script or Script()
        return {
            "caller_id": errand.call.caller_id_number or self._option("caller_id"),
            "wait_time": str(errand.call.wait_time),
            "longest": text(script.longest),
        }

    def _request(self, table: str, errand: Errand, values: Values, extra: Extra) -> Request:
        to = errand.to[0]
        common = {
            "to": to,
            "to_digits": to.removeprefix("+"),
            "reference": errand.reference,
            "callback": errand.callback,
            **{f"extra.{name}": value for name, value in extra},
        }
        return self._made(table, {**self._account(), **common, **values}, errand.reference)

    def _made(self, table: str, values: Values, reference: str) -> Request:
        template = self._template(table)
        media_type = template.media_type
        quoted = quote_for(media_type or "")
        body = None if template.body is None else template.body.filled(values, quoted).encode()
        return Request(
            template.method,
            template.path.filled(values, in_path),
            query=pairs(template.query, values),
            headers=headers(template.headers, values),
            form=None if template.form is None else pairs(template.form, values),
            json=None if template.json is None else filled_json(template.json, values),
            content=body,
            media_type="text/plain; charset=utf-8" if body is not None and not media_type else media_type,
            accept="*/*",
            reference=reference,
        )

    def _template(self, table: str) -> Template:
        if table not in self.settings.templates:
            raise Rejected(f"The configuration has no table {table} for this provider.")
        return self.settings.templates[table]

    def _accepted(self, table: str, reply: Reply) -> Template:
        """The template whose answer this is, where it is a good one. Raises what else it is."""
        if (refusal := self.refusal(reply)) is not None:
            raise refusal
        template = self._template(table)
        if template.statuses and reply.status not in template.statuses:
            raise Unreadable("this status is none of those that the configuration names")
        if template.success is not None and template.success.search(reply.text()) is None:
            raise Unreadable("it is not what the configuration names as success")
        return template

    def _taken(self, table: str, reply: Reply) -> Receipt:
        """A gateway that gives no id is asked by our reference."""
        finder = self._accepted(table, reply).found.get("id")
        if finder is None:
            ref = reply.request.reference if reply.request is not None else None
        else:
            ref = finder.find(reply.text())
        if ref is None:
            raise Unreadable("its answer has no id")
        return Receipt(ref=ref)

    def _told(self, ref: str | None, reference: str | None, found: Values, raw: Mapping[str, Any]) -> Receipt:
        word = found.get("word") or ""
        disposition, handed_on = self.settings.disposition(word)
        return Receipt(
            ref=ref,
            reference=reference,
            disposition=disposition,
            handed_on=handed_on,
            word=word,
            detail=found.get("detail") or "",
            price=found.get("price"),
            parts=whole(found.get("parts")),
            raw=raw,
        )

    def _fields(self, names: Mapping[str, str], callback: Callback) -> Values:
        fields = callback.fields()
        return {name: from_fields(fields, callback.body, path) for name, path in names.items()}

    def _against_message(self, task: Sms) -> Iterator[Mistake]:
        template = self.settings.templates.get("sms")
        places = template.places if template is not None else frozenset()
        if task.media:
            yield Mistake("media", "This provider has no MMS: leave media out.")
        for name in ("sender", "template"):
            if getattr(task, name) is not None and name not in places:
                yield Mistake(
                    name, f"The configuration of this provider has no place {{{name}}}: leave it out."
                )
        yield from _against_extra(task.extra, places)

    def _against_script(self, script: Script) -> Iterator[Mistake]:
        if script.flow is not None or script.play_url is not None:
            yield Mistake("flow" if script.flow else "play_url", "This provider can't do this: use another.")
            return
        template = self.settings.templates.get("say" if script.say is not None else "connect")
        places = template.places if template is not None else frozenset()
        for name in ("language", "longest"):
            if getattr(script, name) is not None and name not in places:
                yield Mistake(
                    name, f"The configuration of this provider has no place {{{name}}}: leave it out."
                )
        if script.record:
            yield Mistake("record", "This provider can't record: leave it out.")
        yield from _against_extra(script.extra, places)


def _against_extra(extra: Extra, places: frozenset[str]) -> Iterator[Mistake]:
    for name, _ in extra:
        if f"extra.{name}" not in places:
            yield Mistake(
                "extra",
                f"The configuration of this provider has no place {{extra.{name}}}: leave {name} out.",
            )
