"""Sessions: the steps of a call that a provider carries, each sent when the one before is over.

Where a session stands is on disk before its next step is sent: `step` in the attempt's evidence is the path
to it, such as [1, "2", 0]: the first step of what follows where 2 was pressed at the second one. A step is
never sent twice by itself: after a crash in between the provider's own time limit ends the call.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import timedelta
from typing import Any

from dialerd.core.errors import Unconfirmed
from dialerd.core.model import GOOD, Attempt, Call, Disposition, Job, Result
from dialerd.core.receipts import Message, Notice
from dialerd.core.states import ENDED, State, Step, allows
from dialerd.core.tasks import Ivr
from dialerd.core.tasks import Step as SessionStep
from dialerd.engine.conclude import Closer
from dialerd.engine.following import FIRST_LOOK_S
from dialerd.engine.inbox import Inbox, StepAnswered
from dialerd.engine.ledger import Ledger
from dialerd.engine.ports import Providers

FAILURE = "failed"
"""Stands in a path for what follows a transfer that came to nothing."""

_BUSY = {"busy": Disposition.BUSY, "unanswered": Disposition.NOANSWER}
_HANGUP = SessionStep("hangup")
Path = tuple[int | str, ...]


class Sessions:
    """Drives sessions by what providers notify. Used by the engine's thread."""

    def __init__(self, ledger: Ledger, closer: Closer, providers: Providers, inbox: Inbox) -> None:
        self.ledger, self.closer, self.providers, self.inbox = ledger, closer, providers, inbox
        self.answers: Mapping[tuple[str, str], tuple[SessionStep, ...]] = {}
        """By provider and number: the steps that answer a call to it."""

    def noticed(self, provider: str, notice: Notice) -> None:
        """Something happened in a session."""
        found = self._find(provider, notice)
        if found is None:
            return
        job, attempt = found
        if job.state is not State.SUBMITTED:  # the answer to the request is on its way, or was lost
            look_at = self.ledger.clock.now() + timedelta(seconds=FIRST_LOOK_S)
            job = self.ledger.move(job, Step.HAND_OVER, f"{provider} has it", look_at=look_at)
        attempt = self._note(job, attempt, notice)
        if notice.over:
            self._over(job, attempt, notice)
        elif notice.block == "dial" and notice.failed:
            self._end(job, attempt, _BUSY.get(notice.word, Disposition.FAILED), notice)
        else:
            self._go_on(job, attempt, job.task, notice)

    def answer(self, job: Job, attempt: Attempt, session: str) -> None:
        """A call came in: its first step answers it."""
        self.ledger.store.save_session(attempt.trunk or "", session, job.id)
        self._go_on(job, attempt, job.task, Notice(session, block="answer"))

    def answers_for(self, provider: str, message: Message) -> tuple[SessionStep, ...]:
        """The steps that answer a call to this number; none for one that is left alone."""
        return self.answers.get((provider, message.dest), ()) if message.session is not None else ()

    def step_answered(self, message: StepAnswered) -> None:
        """The provider took a step, or did not. One that may have been taken is waited for."""
        job_id, _, number = message.reference.rpartition(".")
        job, attempt = self.ledger.store.find_job(job_id), self.ledger.store.find_attempt(job_id, int(number))
        if job is None or attempt is None or message.error is None or job.state in ENDED:
            return
        self.ledger.note(job, "step_failed", attempt=attempt.number, detail=str(message.error))
        if not isinstance(message.error, Unconfirmed) and message.verb != "hangup":
            self._send(job, attempt, _HANGUP)

    def _find(self, provider: str, notice: Notice) -> tuple[Job, Attempt] | None:
        """Whose session it is: the newest attempt, if it went to this provider, has not ended, and has no
        other session."""
        job_id = self.ledger.store.find_session(provider, notice.session)
        job_id = job_id or (notice.reference or "").rpartition(".")[0]
        job = self.ledger.store.find_job(job_id) if job_id else None
        attempt = None if job is None else self.ledger.store.last_attempt(job.id)
        if job is None or attempt is None or not isinstance(job.task, Ivr):
            return None
        if attempt.trunk != provider or attempt.ended is not None:
            return None
        if job.state is not State.SUBMITTED and not allows(job.state, Step.HAND_OVER):
            return None
        if notice.reference not in (None, attempt.reference) and "session" not in attempt.evidence:
            return None
        return (job, attempt) if attempt.evidence.get("session") in (None, notice.session) else None

    def _note(self, job: Job, attempt: Attempt, notice: Notice) -> Attempt:
        """Keeps what the session brought: digits and recordings, by the path of their step."""
        found = {"digits": notice.digits, "recording": notice.recording, "word": notice.word}
        facts = {name: value for name, value in found.items() if value}
        self.ledger.note(job, "session", attempt=attempt.number, block=notice.block, **facts)
        told = [*attempt.evidence.get("told", ()), {"block": notice.block, **facts}] if facts else None
        evidence = {**attempt.evidence, "session": notice.session} | ({"told": told} if told else {})
        if notice.block and not (notice.block == "dial" and notice.failed):
            evidence["picked_up"] = True
        ref = attempt.ref or notice.ref
        handed_over = attempt.handed_over or self.ledger.clock.now()
        return self.ledger.save(replace(attempt, evidence=evidence, ref=ref, handed_over=handed_over))

    def _go_on(self, job: Job, attempt: Attempt, task: Any, notice: Notice) -> None:
        """Sends the step that follows the one that is over. A word about another step is none for us."""
        if not task.steps:  # somebody gives them by hand
            return
        path: Path = tuple(attempt.evidence.get("step", ()))
        current = step_at(task.steps, path)
        if notice.block != ("dial" if current is None else current.verb) and notice.block != "answer":
            return
        following = next_path(task.steps, path, notice.digits, notice.failed)
        step = step_at(task.steps, following) or _HANGUP
        attempt = replace(attempt, evidence={**attempt.evidence, "step": list(following)})
        self.ledger.save(attempt)
        if current is None or current.verb != "hangup":
            self._send(job, attempt, step)

    def _send(self, job: Job, attempt: Attempt, step: SessionStep) -> None:
        provider, reference = attempt.trunk or "", attempt.reference
        parameters = {"session": attempt.evidence.get("session", ""), "tag": reference, **_parameters(step)}

        def answered(future: "Future[Any]") -> None:
            self.inbox.put(StepAnswered(reference, step.verb, future.exception()))

        self.ledger.later.append(
            lambda: self.providers.ask(provider, f"ivr.{step.verb}", parameters).add_done_callback(answered)
        )

    def _over(self, job: Job, attempt: Attempt, notice: Notice) -> None:
        answered = attempt.evidence.get("picked_up") or bool(notice.seconds)
        disposition = Disposition.ANSWERED if answered else _BUSY.get(notice.word)
        self._end(job, attempt, disposition or Disposition.NOANSWER, notice)

    def _end(self, job: Job, attempt: Attempt, disposition: Disposition, notice: Notice) -> None:
        self.ledger.store.end_session(attempt.trunk or "", notice.session)
        result = Result(
            disposition,
            talk_seconds=float(notice.seconds or 0) if disposition in GOOD else None,
            word=notice.word,
            price=notice.price,
            currency=notice.currency,
            recording=notice.recording,
        )
        self.closer.conclude(job, replace(attempt, ended=self.ledger.clock.now(), result=result), result)


def incoming_call(message: Message, steps: Sequence[SessionStep]) -> tuple[Call, Ivr]:
    """What is done with a call that came in."""
    return Call(to=(message.sender,)), Ivr(tuple(steps), session=message.session)


def step_at(steps: Sequence[SessionStep], path: Path) -> SessionStep | None:
    """The step at a path; None at the end of the steps, and before the first one."""
    if not path:
        return None
    index, rest = int(path[0]), path[1:]
    if index >= len(steps):
        return None
    return step_at(_branch(steps[index], str(rest[0])), rest[1:]) if rest else steps[index]


def next_path(steps: Sequence[SessionStep], path: Path, digits: str | None, failed: bool) -> Path:
    """The path of the step after the one at `path`: the branch of what was pressed or failed, else the next
    one, also of the branches around it. Past the last step it leads to none."""
    current = step_at(steps, path)
    if not path:
        return (0,)
    if current is not None:
        if failed and current.on_failure:
            return (*path, FAILURE, 0)
        named = {key for key, _ in current.on_digits}
        key = digits if digits is not None and digits in named else ""
        if key in named:
            return (*path, key, 0)
    after = (*path[:-1], int(path[-1]) + 1)
    while step_at(steps, after) is None and len(after) > 1:
        after = (*after[:-3], int(after[-3]) + 1)
    return after


def _branch(step: SessionStep, key: str) -> tuple[SessionStep, ...]:
    return step.on_failure if key == FAILURE else dict(step.on_digits).get(key, ())


def _parameters(step: SessionStep) -> dict[str, Any]:
    names = ("message", "dest", "caller_id", "max_digits", "timeout", "attempts", "longest")
    found = {name: getattr(step, name) for name in names if getattr(step, name) is not None}
    return found | ({"on_failure": "continue"} if step.on_failure else {})
