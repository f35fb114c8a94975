"""A job's life: one table of transitions, and one door through it."""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    DEFERRED = "deferred"
    ACTIVE = "active"
    SUBMITTED = "submitted"
    HELD = "held"
    COMPLETED = "completed"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Step(StrEnum):
    LEASE = "lease"
    HAND_OVER = "hand_over"
    CONFIRM = "confirm"
    REJECT = "reject"
    DEFER = "defer"
    LOSE = "lose"
    EXPIRE = "expire"
    CANCEL = "cancel"
    HOLD = "hold"
    RELEASE = "release"
    REQUEUE = "requeue"
    REFUSE = "refuse"


WAITING = (State.QUEUED, State.DEFERRED)
IN_FLIGHT = (State.ACTIVE, State.SUBMITTED)
ENDED = (State.COMPLETED, State.FAILED, State.EXPIRED, State.CANCELLED)

_FROM_WAITING = {
    Step.LEASE: State.ACTIVE,
    Step.EXPIRE: State.EXPIRED,
    Step.CANCEL: State.CANCELLED,
    Step.HOLD: State.HELD,
    Step.REFUSE: State.FAILED,
}
_FROM_LATE_WORD = {Step.CONFIRM: State.COMPLETED, Step.HAND_OVER: State.SUBMITTED}
_FROM_IN_FLIGHT = {
    Step.REJECT: State.FAILED,
    Step.DEFER: State.DEFERRED,
    Step.LOSE: State.HELD,
    Step.EXPIRE: State.EXPIRED,
    Step.CANCEL: State.CANCELLED,
    Step.HOLD: State.HELD,
}
TRANSITIONS: dict[State, dict[Step, State]] = {
    State.QUEUED: {**_FROM_WAITING, **_FROM_LATE_WORD},
    State.DEFERRED: {**_FROM_WAITING, **_FROM_LATE_WORD},
    State.ACTIVE: {**_FROM_IN_FLIGHT, Step.HAND_OVER: State.SUBMITTED},
    State.SUBMITTED: {**_FROM_IN_FLIGHT, Step.CONFIRM: State.COMPLETED},
    State.HELD: {
        Step.RELEASE: State.QUEUED,
        Step.HAND_OVER: State.SUBMITTED,
        Step.CONFIRM: State.COMPLETED,
        Step.REJECT: State.FAILED,
        Step.EXPIRE: State.EXPIRED,
        Step.CANCEL: State.CANCELLED,
    },
    State.FAILED: {Step.REQUEUE: State.QUEUED},
    State.EXPIRED: {Step.REQUEUE: State.QUEUED},
    State.COMPLETED: {},
    State.CANCELLED: {},
}
"""From the waiting states, refuse is what the rules say at the hand-over (a stop list, say). From them,
confirm is the late answer to a doubt, which spares a second call; from there and from held, hand_over is
what a provider says of an attempt in doubt: it has it. From submitted, expire,
cancel and hold are taken only once it is certain that the call file was taken back (or, for cancel, that the
call was hung up)."""


def step(state: State, event: Step) -> State:
    """The state after `event`. Raises KeyError where the table has no such transition: that is a bug of
    ours."""
    return TRANSITIONS[state][event]


def allows(state: State, event: Step) -> bool:
    """Whether `event` may happen to a job in `state`."""
    return event in TRANSITIONS[state]
