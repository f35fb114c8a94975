"""The kinds of sinks: each makes one try to deliver one report."""

from collections.abc import Callable, Sequence
from datetime import datetime

from dialerd.core.model import Event, Job
from dialerd.core.report_urls import place, report_url_mistake, url_mistake
from dialerd.core.reporting import ENDS, Hook, JobUrls, ReportSettings, Results, Webhook
from dialerd.core.states import ENDED
from dialerd.log import get_logger
from dialerd.reports import results as folder
from dialerd.reports.body import body, message_id
from dialerd.reports.confine import NOT_RUN
from dialerd.reports.hook import Hooks, Ran
from dialerd.reports.http import Post
from dialerd.reports.ports import Present, Report, Sink, Undelivered
from dialerd.reports.signing import headers

log = get_logger(__name__)

Now = Callable[[], datetime]


class WebhookSink:
    """An address of the configuration."""

    at_once = 4

    def __init__(self, webhook: Webhook, post: Post, now: Now) -> None:
        self.name = f"webhooks.{webhook.name}"
        self.events: Sequence[str] = webhook.wanted.events
        self.give_up_after: int | None = webhook.give_up_after
        self._webhook, self._post, self._now = webhook, post, now

    def chooses(self) -> bool:
        return bool(self._webhook.wanted.tags or self._webhook.wanted.batches)

    def takes(self, event: Event, job: Job) -> bool:
        return self._webhook.wanted.takes(event, job)

    def deliver(self, report: Report) -> None:
        webhook = self._webhook
        data = body(report)
        signed = headers(webhook.secret, message_id(report.event.id), data, self._now())
        private, authorities = webhook.allow_private, webhook.ca_file
        self._post.send(
            webhook.url, signed, data, seconds=webhook.timeout, private=private, ca_file=authorities
        )

    def stop(self) -> None:
        pass


class JobUrlSink:
    """The report_urls of jobs that lead to one host and port."""

    at_once = 4

    def __init__(self, where: str, settings: JobUrls, post: Post, now: Now) -> None:
        self.name = f"report_url.{where}"
        self.events: Sequence[str] = settings.events
        self.give_up_after: int | None = settings.give_up_after
        self._where, self._settings, self._post, self._now = where, settings, post, now

    def chooses(self) -> bool:
        return True

    def takes(self, event: Event, job: Job) -> bool:
        url = job.terms.report_url
        return url is not None and url_mistake(url, plain=True) is None and place(url) == self._where

    def deliver(self, report: Report) -> None:
        settings, url = self._settings, report.job.terms.report_url or ""
        if mistake := report_url_mistake(url, settings.allowed):
            raise Undelivered(mistake, final=True)
        data = body(report)
        signed = headers(settings.secret, message_id(report.event.id), data, self._now())
        private, authorities = settings.allow_private, settings.ca_file
        self._post.send(url, signed, data, seconds=settings.timeout, private=private, ca_file=authorities)

    def stop(self) -> None:
        pass


class HookSink:
    """A command. Exit code 0 means that it is delivered."""

    at_once = 2

    def __init__(self, hook: Hook) -> None:
        self.name = f"hooks.{hook.name}"
        self.events: Sequence[str] = hook.wanted.events
        self.give_up_after: int | None = hook.give_up_after
        self._hook, self._hooks = hook, Hooks()

    def chooses(self) -> bool:
        return bool(self._hook.wanted.tags or self._hook.wanted.batches)

    def takes(self, event: Event, job: Job) -> bool:
        return self._hook.wanted.takes(event, job)

    def deliver(self, report: Report) -> None:
        program = self._hook.command[0]
        try:
            ran = self._hooks.run(self._hook.command, body(report), self._hook.timeout)
        except OSError as error:
            raise Undelivered(f"{program} can't be run: {error.strerror}.", wide=True) from None
        if ran.code == 0:
            return
        why = self._why(program, ran)
        log.warning("hook_failed", sink=self.name, why=why, output=ran.output)
        raise Undelivered(why, wide=ran.code == NOT_RUN)

    def _why(self, program: str, ran: Ran) -> str:
        if ran.code is None:
            return f"{program} did not end within {self._hook.timeout} seconds, and was killed."
        if ran.code < 0:
            return f"{program} was ended by signal {-ran.code}."
        last = "".join(each for each in (ran.output.splitlines() or [""])[-1] if each.isprintable())
        return f"{program} ended with exit code {ran.code}{': ' if last else ''}{last[:200]}."

    def stop(self) -> None:
        self._hooks.stop()


class ResultsSink:
    """The results folder. It is never given up: somebody will make room on that disk."""

    name = "results"
    at_once = 2
    events: Sequence[str] = (*ENDS, "received")
    give_up_after: int | None = None

    def __init__(self, results: Results, present: Present) -> None:
        self._results, self._present = results, present

    def chooses(self) -> bool:
        return False

    def takes(self, event: Event, job: Job) -> bool:
        return True

    def deliver(self, report: Report) -> None:
        if report.job.state not in ENDED:  # requeued since: its next end is written
            return
        try:
            folder.write(self._results, report.job.id, self._present(report.job, report.attempts))
        except OSError as error:
            where = self._results.folder
            why = f"{where} can't be written to: {error.strerror}. It must be there, and dialerd's to write."
            raise Undelivered(why, wide=True) from None

    def stop(self) -> None:
        pass


def build(settings: ReportSettings, present: Present, post: Post, now: Now) -> list[Sink]:
    """A sink for each that the configuration names, and one for each host that jobs may have reports sent
    to: so none of them waits for another."""
    places = dict.fromkeys(place(url) for url in settings.job_urls.allowed)
    return [
        *(WebhookSink(webhook, post, now) for webhook in settings.webhooks),
        *(JobUrlSink(where, settings.job_urls, post, now) for where in places),
        *(HookSink(hook) for hook in settings.hooks),
        *([ResultsSink(settings.results, present)] if settings.results is not None else []),
    ]
