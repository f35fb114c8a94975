"""Legs: what is remembered of one call while it lasts, and what it comes to as a Trace."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from dialerd.core.disposition import QUICK_S
from dialerd.core.model import Trace


@dataclass(slots=True, eq=False)
class Leg:
    """One dialled far channel. `half`: the other half, where it is a Local channel.

    `begun` and `ended` are the running numbers of events, which order them better than times do.
    """

    dialler: str
    begun: int
    half: str | None = None
    ended: int | None = None
    status: str | None = None
    answered: float | None = None
    rang: bool = False
    cause: int | None = None
    gone: bool = False


@dataclass(slots=True, eq=False)
class Followed:
    """One call file's call: its near channel, the far halves of Local channels, and what those dial."""

    name: str
    started: float
    near: str | None = None
    channel: str | None = None
    halves: set[str] = field(default_factory=set)
    open_halves: set[str] = field(default_factory=set)
    legs: dict[str, Leg] = field(default_factory=dict)
    dialled: bool = False
    rang: float | None = None
    answered: float | None = None
    answered_order: int | None = None
    dial_status: str | None = None
    near_cause: int | None = None
    half_cause: int | None = None
    hung_up: float | None = None
    acted: bool = False
    agi_failed: bool = False
    no_way_order: int | None = None
    steps_shown: bool = False
    last_application: str | None = None
    complete: bool = True
    ended: float | None = None
    waiting_since: float | None = None
    opt_out: str = ""


def may_have_done_nothing(call: Followed) -> bool:
    """Whether it was answered and over so soon that its action may not exist."""
    if call.answered is None or call.hung_up is None or call.acted or call.agi_failed:
        return False
    return call.hung_up - call.answered <= QUICK_S


def all_gone(call: Followed) -> bool:
    """Whether no far channel of it is left."""
    return not call.open_halves and all(leg.gone for leg in call.legs.values())


def told(call: Followed) -> Trace:
    """What is known of the call, for the engine."""
    far = _far(call) if call.legs else None
    answers = [leg.answered for leg in call.legs.values() if leg.answered is not None]
    return Trace(
        started=call.started,
        channel=call.channel,
        dialled=call.dialled,
        rang=call.rang,
        answered=call.answered,
        ended=call.ended,
        dial_status=call.dial_status,
        far_status=_far_status(far),
        far_answered=min(answers, default=None),
        near_cause=call.near_cause,
        far_cause=_far_cause(call, far),
        acted=call.acted,
        agi_failed=call.agi_failed,
        complete=call.complete,
        hung_up=call.hung_up,
        no_way=_no_way(call),
        steps_shown=call.steps_shown,
        last_application=call.last_application,
        opt_out=call.opt_out,
    )


def _far(call: Followed) -> Leg | None:
    """The far leg whose result counts: the one that answered, else the best of the last Dial."""
    candidates = list(_leaves(call))
    answered = [leg for leg in candidates if leg.status == "ANSWER"]
    if answered:
        return answered[0]
    if call.answered_order is not None:
        candidates = [leg for leg in candidates if leg.ended is None or leg.ended > call.answered_order]
    last: list[Leg] = []
    for leg in candidates:
        over = all(other.ended is not None and other.ended < leg.begun for other in last)
        last = [leg] if over else [*last, leg]
    return min(last, key=_rank, default=None)


def _leaves(call: Followed) -> Iterator[Leg]:
    """Far legs that are no more than a Local channel's near half in front of other legs are left out."""
    diallers = {leg.dialler for leg in call.legs.values()}
    for leg in call.legs.values():
        if leg.half not in diallers:
            yield leg


def _rank(leg: Leg) -> int:
    if leg.rang:
        return 0
    return {"BUSY": 1, "CONGESTION": 2}.get(leg.status or "", 3)


def _far_status(leg: Leg | None) -> str | None:
    """A leg that was still dialled when the call ended was not answered."""
    return None if leg is None else (leg.status or "NOANSWER")


def _far_cause(call: Followed, leg: Leg | None) -> int | None:
    """A leg that was given up has our own cause, which says nothing of the callee."""
    if leg is None:
        return call.half_cause
    return None if leg.status in ("CANCEL", None) else leg.cause


def _no_way(call: Followed) -> bool:
    since = call.answered_order or 0
    return (call.no_way_order or 0) > since and not any(leg.begun > since for leg in call.legs.values())
