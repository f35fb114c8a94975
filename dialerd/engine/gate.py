"""The gate: whether a job may be dialled at this moment, by all that the configuration says.

What was checked when the job was accepted is checked again here, in the same turn as the lease is written.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from dialerd.core.model import Job
from dialerd.core.policy import Rules, refusals
from dialerd.core.routing import against
from dialerd.core.schedule import hours_of, opening_for
from dialerd.core.tasks import NumberOrder
from dialerd.core.windows import explain
from dialerd.engine.spending import Spending

LOOK_AGAIN_S = 5
"""How long a job waits for one of its owner's calls to end."""

LOST_S = 3600
"""How long it waits where its hours are not to be found."""


@dataclass(frozen=True, slots=True)
class Go:
    """It may be dialled, until its window closes."""

    closes: datetime | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Not before `until`."""

    until: datetime
    why: str
    rule: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """Never."""

    why: str
    rule: str


class Gate:
    """The rules, which are swapped whole when the configuration is read again."""

    def __init__(self, rules: Rules, spending: Spending) -> None:
        self.rules, self.spending = rules, spending

    def judge(self, job: Job, now: datetime, under_way: int) -> Go | Wait | Refuse:
        """What the rules say of a job that is due; `under_way` calls of its owner are."""
        if job.not_before is not None and job.not_before > now:  # the clock was put back
            return Wait(job.not_before, job.reason, "")
        if (refusal := against(job.call, job.way, self.rules, job.task)) is not None:
            return Refuse(str(refusal), refusal.rule)
        if forbidden := list(refusals(job.call, self.rules)):
            return Refuse("; ".join(map(str, forbidden)), forbidden[0].rule)
        concurrent = self.spending.budget.owner.concurrent
        if concurrent is not None and under_way >= concurrent:
            why = f"owner {job.owner} has {under_way} calls under way, of {concurrent} at most"
            return Wait(now + timedelta(seconds=LOOK_AGAIN_S), why, "cap")
        return self.timely(job, now)

    def timely(self, job: Job, now: datetime) -> Go | Wait:
        """What the calling hours say; nobody's phone rings for an order. Those that are not to be found any
        more are never open."""
        if isinstance(job.task, NumberOrder):
            return Go()
        name = job.terms.hours
        if name is not None and name not in self.rules.hours:
            why = f"there is no [hours.{name}] in the configuration any more: put it back, or cancel the job"
            return Wait(now + timedelta(seconds=LOST_S), why, "hours")
        try:
            return self._opening(job, now)
        except ValueError as error:  # a zone or windows that this machine does not know any more
            return Wait(now + timedelta(seconds=LOST_S), str(error), "hours")

    def _opening(self, job: Job, now: datetime) -> Go | Wait:
        opening = opening_for(job.call, job.terms, self.rules, now)
        if opening is not None and opening.opens <= now:
            return Go(opening.closes)
        hours, zones = hours_of(job.call, job.terms, self.rules)
        opens = now + timedelta(days=1) if opening is None else opening.opens
        return Wait(opens, explain(opening, now, zones, hours), "hours")
