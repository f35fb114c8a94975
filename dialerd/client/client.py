"""The client itself: one method for each thing that the daemon can be asked."""

import json
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, TypeVar, Unpack

from dialerd.client.asking import path, query
from dialerd.client.backups import Backups
from dialerd.client.batches import Batches
from dialerd.client.errors import DEFAULT_SOCKET, WaitTimeout, explain, raise_problem
from dialerd.client.fields import Event, Job, JobFields, Submitted
from dialerd.client.figures import Figures
from dialerd.client.lists import Lists
from dialerd.client.orders import Orders
from dialerd.client.providers import Providers
from dialerd.client.reports import Reports
from dialerd.client.sending import Sending
from dialerd.client.whoami import Whoami
from dialerd.client.wire import LostConnection, Wire, encode

ENDED = ("completed", "failed", "expired", "cancelled")
"""The states in which a job stays; in `held` it waits for a person."""

_GROUP_LINES, _GROUP_BYTES = 500, 1 << 20
_PAGE = 500
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.05, 0.5
_BATCH = "/v1/jobs/batch"
_NDJSON = {"Content-Type": "application/x-ndjson"}
T = TypeVar("T")


class Client(Backups, Batches, Figures, Lists, Orders, Providers, Reports, Sending, Whoami):
    """A connection to the daemon.

    `socket_path`: default $DIALERD_SOCKET, else /run/dialerd/dialerd.sock. `timeout`: the seconds that one
    answer may take. `patience`: the seconds for which a lost connection is opened anew, and what may be
    repeated is sent again. Every method raises Unreachable and NoPermission, and a Problem where the daemon
    says no.
    """

    def __init__(
        self,
        socket_path: str | os.PathLike[str] | None = None,
        timeout: float = 40.0,
        patience: float = 10.0,
    ) -> None:
        self.socket_path = os.fspath(socket_path or os.environ.get("DIALERD_SOCKET") or DEFAULT_SOCKET)
        self.timeout, self.patience = timeout, patience
        self._wire = Wire(self.socket_path, timeout)

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._wire.close()

    def submit(self, **fields: Unpack[JobFields]) -> Submitted:
        """Submits a job; returns when it is on disk. Raises Refused, KeyConflict, TryLater."""
        return self.submit_document(fields)

    def submit_document(self, document: Mapping[str, Any]) -> Submitted:
        """Submits a job document as it is, with a new key where it has none."""
        keyed = {**document, "key": document.get("key") or new_key()}
        status, answer = self._call("POST", "/v1/jobs", keyed)
        return Submitted(answer.get("jobs", [answer]), answer.get("batch"), status == 200)

    def submit_many(
        self, documents: Iterable[Mapping[str, Any]], batch: str | None = None, key: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Submits any number of documents, in groups that share commits; yields one answer each, in order.

        An answer has `line` (the document's number, from 1) and `status`: 201 accepted or 200 repeated,
        with `jobs` (id, state, key of each); else it is a problem document, with `detail` and, for 422,
        `mistakes`. A document without key gets one, so that what is sent again after a lost connection is
        not accepted twice.
        """
        return self._send_many(documents, batch, key, _BATCH)

    def preview_many(
        self, documents: Iterable[Mapping[str, Any]], batch: str | None = None
    ) -> Iterator[dict[str, Any]]:
        """Judges documents as `submit_many` would submit them, and submits none.

        An answer with `status` 200 has `verdict` ("now", "later", "refused"), `rule`, `why`, `at` and `to`.
        The first of each group that would be called has `call_file`.
        """
        return self._send_many(documents, batch, None, f"{_BATCH}?dry_run=1")

    def _send_many(
        self, documents: Iterable[Mapping[str, Any]], batch: str | None, key: str | None, target: str
    ) -> Iterator[dict[str, Any]]:
        run, before = key or new_key(), 0
        lines: list[bytes] = []
        for number, document in enumerate(documents, 1):
            lines.append(_line(document, f"{run}/{number}", batch))
            if len(lines) >= _GROUP_LINES or len(lines[-1]) * len(lines) >= _GROUP_BYTES:
                yield from self._send_group(lines, before, target)
                lines, before = [], number
        if lines:
            yield from self._send_group(lines, before, target)

    def _send_group(self, lines: list[bytes], before: int, target: str) -> Iterator[dict[str, Any]]:
        """Sends lines until each has an answer other than "ask again later", as long as patience lasts."""
        deadline = time.monotonic() + self.patience
        answers: dict[int, dict[str, Any]] = {}
        waiting = list(range(len(lines)))
        while waiting:
            body = b"".join(lines[place] for place in waiting)
            answers.update(zip(waiting, self._patiently(lambda: self._send_lines(target, body)), strict=True))  # noqa: B023
            waiting = [place for place in waiting if answers[place]["status"] == 503]
            if time.monotonic() > deadline:
                break
            if waiting:
                time.sleep(_LONGEST_PAUSE_S)
        for place in range(len(lines)):
            yield {**answers[place], "line": before + place + 1}

    def _send_lines(self, target: str, body: bytes) -> list[dict[str, Any]]:
        reply = self._wire.request("POST", target, _NDJSON, body)
        if reply.status != 200:
            raise_problem(reply.status, _decode(reply.body()))
        answers = [_decode(line) for line in reply.lines()]
        if len(answers) != body.count(b"\n"):
            self._wire.close()
            raise LostConnection("dialerd did not answer every line")
        return answers

    def job(self, job_id: str) -> Job:
        """A job with its attempts. Raises NoSuchJob."""
        return self._get(_job_path(job_id))

    def jobs(self, limit: int | None = None, **filters: str | int | Sequence[str] | None) -> Iterator[Job]:
        """The jobs that fit, newest first, page by page.

        Filters: state (one or several), kind, batch, tag, key, to, owner (a uid).
        """
        cursor, left = None, limit
        while left is None or left > 0:
            size = _PAGE if left is None else min(left, _PAGE)
            page = self._get("/v1/jobs" + query({**filters, "limit": size, "cursor": cursor}))
            yield from page["jobs"]
            cursor, left = page["next"], None if left is None else left - len(page["jobs"])
            if cursor is None:
                return

    def cancel(self, job_id: str) -> Job:
        """Cancels a job.

        A call under way is still `submitted` in the answer: it is `cancelled` once that is certain.
        """
        return self._command(job_id, "cancel")

    def hold(self, job_id: str) -> Job:
        """Holds a job until it is released."""
        return self._command(job_id, "hold")

    def release(self, job_id: str) -> Job:
        """Lets a held job go on."""
        return self._command(job_id, "release")

    def requeue(self, job_id: str) -> Job:
        """Tries a failed or expired job again."""
        return self._command(job_id, "requeue")

    def resolve(self, job_id: str, as_: Literal["completed", "failed", "requeue"]) -> Job:
        """Says what became of a job in doubt."""
        return self._command(job_id, "resolve", {"as": as_})

    def status(self) -> dict[str, Any]:
        """How the daemon is."""
        return self._get("/v1/status")

    def wait(self, job_id: str, timeout: float | None = None, until: Sequence[str] = (*ENDED, "held")) -> Job:
        """The job, once it is in one of the states `until`. Raises WaitTimeout after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        pause = _FIRST_PAUSE_S
        while (job := self.job(job_id))["state"] not in until:
            left = pause if deadline is None else deadline - time.monotonic()
            if left <= 0:
                raise WaitTimeout(f"Job {job_id} is {job['state']} after {timeout:g} seconds.")
            time.sleep(min(pause, left))
            pause = min(pause * 1.3, _LONGEST_PAUSE_S)
        return job

    def events(
        self,
        after: int | None = None,
        follow: bool = True,
        job: str | None = None,
        batch: str | None = None,
        types: Sequence[str] = (),
    ) -> Iterator[Event]:
        """What happens, from behind event `after` on; goes on by itself where a connection is lost.

        Without `after`: what is new from now on, or everything there is where `follow` is false.
        """
        wire = Wire(self.socket_path, self.timeout)
        asked = {"follow": int(follow), "job": job, "batch": batch, "type": ",".join(types) or None}
        place, lost_at = after, time.monotonic()
        try:
            while True:
                try:
                    for at, event in _stream(wire, "/v1/events" + query({**asked, "after": place})):
                        place, lost_at = at, time.monotonic()
                        if event is not None:
                            yield event
                    if not follow:
                        return
                except OSError as error:
                    never = place is None and not isinstance(error, LostConnection)
                    if never or time.monotonic() - lost_at > self.patience + self.timeout:
                        raise explain(error, self.socket_path) from None
                time.sleep(_LONGEST_PAUSE_S)
        finally:
            wire.close()

    def _command(self, job_id: str, verb: str, body: Mapping[str, Any] | None = None) -> Job:
        self._wire.close()  # a fresh connection: one that had gone stale would look like a lost answer
        again = verb in ("cancel", "hold")
        return self._call("POST", f"{_job_path(job_id)}/{verb}", body, again)[1]

    def _get(self, target: str) -> dict[str, Any]:
        return self._call("GET", target)[1]

    def _call(
        self, method: str, target: str, body: Mapping[str, Any] | None = None, again: bool = True
    ) -> tuple[int, dict[str, Any]]:
        data = None if body is None else encode(body)
        headers = {"Content-Type": "application/json"} if data is not None else {}

        def once() -> tuple[int, dict[str, Any]]:
            reply = self._wire.request(method, target, headers, data)
            return reply.status, _decode(reply.body())

        status, answer = self._patiently(once, again)
        if status >= 400:
            raise_problem(status, answer)
        return status, answer

    def _patiently(self, once: Callable[[], T], again: bool = True) -> T:
        """Does it; where the connection is lost on the way, does it again, as long as patience lasts."""
        deadline, pause, lost = time.monotonic() + self.patience, _FIRST_PAUSE_S, False
        while True:
            try:
                return once()
            except OSError as error:
                lost = lost or isinstance(error, LostConnection)
                if not (again and lost) or time.monotonic() > deadline:
                    raise explain(error, self.socket_path) from None
            time.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_S)


def new_key() -> str:
    """A key that nobody had before."""
    return os.urandom(16).hex()


def _stream(wire: Wire, target: str) -> Iterator[tuple[int, Event | None]]:
    """Where the stream is, and the event that brought it there; none where it only says that it lives."""
    reply = wire.request("GET", target)
    if reply.status != 200:
        raise_problem(reply.status, _decode(reply.body()))
    place, event = 0, None
    for line in reply.lines():
        if line.startswith(b"id: "):
            place = int(line[4:])
        elif line.startswith(b"data: "):
            event = json.loads(line[6:])
        elif not line:
            yield place, event
            event = None


def _line(document: Mapping[str, Any], key: str, batch: str | None) -> bytes:
    keyed = {**document, "key": document.get("key") or key}
    if batch is not None and not keyed.get("batch"):
        keyed["batch"] = batch
    return encode(keyed) + b"\n"


def _decode(data: bytes) -> dict[str, Any]:
    try:
        value = json.loads(data)
    except ValueError:
        raise LostConnection("its answer is not JSON") from None
    return value if isinstance(value, dict) else {"value": value}


def _job_path(job_id: str) -> str:
    return path("v1", "jobs", job_id)
