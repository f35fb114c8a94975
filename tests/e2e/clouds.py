"""Providers of the tests' own behind one HTTPS server, and daemons that have accounts with them. What a
provider was asked is judged by the server's own log."""

import base64
import hashlib
import hmac
import http.client
import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from tests.asterisk import Asterisk
from tests.daemon import Daemon
from tests.ports import free_port
from tests.providers.cloud import Cloud, Fault, Says, Seen, says
from tests.users import DIALERD_GID, DIALERD_UID, give

ACCOUNT = "AC" + "a" * 32
SECRET = "c4nary0fThisT3st"
OURS = "+15005550006"
NUMBER = "+4930123456"
PUBLIC = "https://calls.example.com/from"
SMS = {"kind": "sms", "to": NUMBER, "body": "Hello"}
SAY = {"to": NUMBER, "say": "Hello", "caller_id": OURS}

Answer = Says | Fault | Callable[[Seen], Says | Fault]
Section = Mapping[str, Any]
NOT_SERVED = says({"code": 21408, "message": "Permission to send to this region is not enabled"}, 403)
"""Twilio: another provider may be able to."""
REFUSED = says({"code": 21610, "message": "Attempt to send to unsubscribed recipient"}, 400)


@dataclass
class Twilio:
    """Keeps messages and calls. `word` is the state of new ones."""

    word: str = "queued"
    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)

    def __call__(self, seen: Seen) -> Says:
        last = seen.path.removesuffix(".json").rpartition("/")[2]
        if seen.method == "GET":
            return says(self.kept.get(last, {"messages": list(self.kept.values())}))
        form = dict(seen.form)
        if last in self.kept:  # hung up
            begun = self.kept[last]["status"] == "in-progress"
            self.kept[last]["status"] = form["Status"] if begun else "canceled"
            return says(self.kept[last])
        sid = f"{last[:2].upper().replace('ME', 'SM')}{next(self._numbers):032x}"
        self.kept[sid] = {"sid": sid, "status": self.word, "to": form["To"], "body": form.get("Body", "")}
        return says(self.kept[sid], 201)

    def become(self, word: str) -> None:
        """From now on all are in this state."""
        for each in self.kept.values():
            each["status"] = word


@dataclass
class Hoiio:
    """Keeps messages and faxes with our references (tags). `word` is the state of new ones; what takes a
    session's steps answers that they were begun."""

    word: str = "queued"
    kept: dict[str, dict[str, str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, seen: Seen) -> Says:
        form = fields_of(seen)
        if seen.path.endswith(("/sms/send", "/fax/send")):
            return self.take(form)
        if seen.path.endswith("/query_status"):
            return says({"status": "success_ok", **self.kept[form["txn_ref"]]})
        if seen.path.endswith("/get_history"):
            kept = list(self.kept.values())
            place = 100 * (int(form.get("page", "1")) - 1)
            page = {"total_entries_count": str(len(kept)), "entries": kept[place : place + 100]}
            return says({"status": "success_ok", **page})
        return says({"status": "success_ok", "txn_ref": "TX-1", "session": "S-1"})

    def take(self, form: Mapping[str, str]) -> Says:
        """A message or fax."""
        with self._lock:
            ref = f"TX-{len(self.kept)}"
            state = {"sms_status": self.word, "fax_status": "answered"}
            self.kept[ref] = {"txn_ref": ref, "tag": form["tag"], "dest": form["dest"], **state}
        return says({"status": "success_ok", "txn_ref": ref})


@dataclass
class Clouds:
    """Providers behind `cloud`: the first part of the path says whose a request is."""

    cloud: Cloud
    folder: Path
    make_daemon: Callable[..., Daemon]
    of: dict[str, Answer] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.cloud.otherwise = self._answer

    def _answer(self, seen: Seen) -> Says | Fault:
        answer = self.of[name_of(seen)]
        return answer if isinstance(answer, Says | Fault) else answer(seen)

    def account(self, name: str, type: str = "twilio", **options: Any) -> dict[str, Section]:
        """A section of the configuration; without an answer of its own, the provider behaves."""
        self.of.setdefault(name, Hoiio() if type == "hoiio" else Twilio())
        return {
            f"providers.{name}": {
                "type": type,
                "account": ACCOUNT,
                "secret_file": self.secret(name),
                "base_url": f"{self.cloud.url}/{name}",
                "ca_file": str(self.cloud.ca_file),
                **({"sender": OURS, "caller_id": OURS} if type == "twilio" else {}),
                **options,
            }
        }

    def secret(self, name: str, text: str = SECRET) -> str:
        """A file that only dialerd may read."""
        path = self.folder / f"{name}.secret"
        path.write_text(f"{text}\n")
        return str(give(path, DIALERD_UID, DIALERD_GID, 0o600))

    def daemon(
        self, *accounts: Mapping[str, Section], spool: Path | Asterisk | None = None, **settings: Any
    ) -> Daemon:
        """A daemon with these accounts and a listener, not yet started. Without a spool it has one that
        nobody empties."""
        sections = {**listener(), **settings}
        for each in accounts:
            sections |= each
        if spool is not None:
            return self.make_daemon(spool, sections)
        sections["asterisk"] = {"user": str(DIALERD_UID), **sections.get("asterisk", {})}
        return self.make_daemon(self._empty_spool(), sections)

    def _empty_spool(self) -> Path:
        spool = self.folder / "spool"
        for path in (spool, spool / "outgoing"):
            path.mkdir(exist_ok=True)
            give(path, DIALERD_UID, DIALERD_GID)
        return spool

    def asked(self, name: str = "") -> list[Seen]:
        """All requests to a provider, or to all of them."""
        return [seen for seen in list(self.cloud.seen) if name in ("", name_of(seen))]

    def sent(self, name: str = "") -> list[Seen]:
        """Those that send a message, call or fax."""
        return [seen for seen in self.asked(name) if seen.method == "POST" and seen.path.endswith(_SENDS)]

    def references(self, name: str = "") -> Counter[str]:
        """How often each of our references was sent."""
        return Counter(reference_of(seen) for seen in self.sent(name))


_SENDS = ("/Messages.json", "/Calls.json", "/sms/send", "/fax/send", "/ivr/start/dial", "/messages")


def routes(*each: Section) -> dict[str, Section]:
    """Sections [[routes]]; blanks, which TOML does not mind, tell them apart."""
    return {f"[routes{' ' * place}]": {"destinations": ["*"], **route} for place, route in enumerate(each)}


def listener(**settings: Any) -> dict[str, Section]:
    """The section [listener], at a port of its own."""
    return {"listener": {"address": f"127.0.0.1:{free_port()}", "public_url": PUBLIC, **settings}}


def name_of(seen: Seen) -> str:
    """Whose the request is."""
    return seen.path.split("/")[1]


def fields_of(seen: Seen) -> dict[str, str]:
    """The fields of a form, urlencoded or multipart, without its files."""
    if "multipart" not in seen.headers.get("content-type", ""):
        return dict(seen.form)
    return {name: content.decode() for name, (filename, content) in parts_of(seen).items() if not filename}


def parts_of(seen: Seen) -> dict[str, tuple[str | None, bytes]]:
    """The parts of a multipart body: file name and content, by name."""
    head = f"Content-Type: {seen.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser(policy=HTTP).parsebytes(head + seen.body)
    found = {}
    for part in message.iter_parts():
        content = part.get_payload(decode=True)
        assert isinstance(content, bytes)
        found[str(part.get_param("name", header="content-disposition"))] = part.get_filename(), content
    return found


def reference_of(seen: Seen) -> str:
    """Our reference: Hoiio's tag, or what stands in the address for receipts."""
    form = fields_of(seen)
    if "tag" in form:
        return form["tag"]
    return parse_qs(urlsplit(form["StatusCallback"]).query)["ref"][0]


def callback_of(seen: Seen) -> str:
    """The address for receipts of a request."""
    form = fields_of(seen)
    return form.get("StatusCallback") or form["notify_url"]


def tell(
    daemon: Daemon,
    address: str,
    form: Mapping[str, str] | None = None,
    data: Any = None,
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
) -> tuple[int, str]:
    """Calls one of dialerd's addresses for providers, as its reverse proxy does: status and body."""
    host, port = daemon.settings["listener"]["address"].split(":")
    parts = urlsplit(address)
    body, kind = urlencode(form or {}), "application/x-www-form-urlencoded"
    if data is not None:
        body, kind = json.dumps(data), "application/json"
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    try:
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(method, target, body, {"Content-Type": kind, **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def signature(address: str, form: Mapping[str, str], secret: str = SECRET) -> dict[str, str]:
    """The header by which Twilio signs a callback."""
    signed = address + "".join(name + form[name] for name in sorted(form))
    digest = hmac.new(secret.encode(), signed.encode(), hashlib.sha1).digest()
    return {"X-Twilio-Signature": base64.b64encode(digest).decode()}


def tell_signed(daemon: Daemon, address: str, **form: str) -> tuple[int, str]:
    """A callback of Twilio's."""
    return tell(daemon, address, form, headers=signature(address, form))


def events(daemon: Daemon, job_id: str) -> list[dict[str, Any]]:
    """What happened to a job."""
    text = daemon.request("GET", f"/v1/events?job={job_id}&follow=0&after=0")[1].decode()
    lines = (line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: "))
    return [json.loads(line) for line in lines]


def in_state(daemon: Daemon, job_id: str, *states: str) -> Callable[[], bool]:
    """Whether the job is in one of these states."""
    return lambda: daemon.job(job_id)["state"] in states


def providers(daemon: Daemon) -> dict[str, dict[str, Any]]:
    """GET /v1/providers, by name."""
    return {each["name"]: each for each in daemon.request("GET", "/v1/providers")[1]["providers"]}
