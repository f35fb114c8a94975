"""A provider's no, as a problem document."""

from math import ceil

from dialerd.core.errors import AccountRefused, DeliveryError, Rejected, Unavailable
from dialerd.core.operations import Effect, Operation
from dialerd.intake.api.problems import Problem

_RETRY_AFTER_S = 5


def problem_of(error: DeliveryError, name: str, operation: Operation) -> Problem:
    """The problem that a provider's no is to the client."""
    words = f"The provider {name} did not do it: {error}"
    if isinstance(error, AccountRefused):
        return Problem(
            502, "account-refused", f"The provider {name} refuses the account: {error}", provider=name
        )
    if isinstance(error, Rejected):
        return Problem(422, "refused-by-provider", f"The provider {name} refuses it: {error}", provider=name)
    if isinstance(error, Unavailable):
        seconds = _RETRY_AFTER_S if error.retry_after is None else max(1, ceil(error.retry_after))
        problem = Problem(503, "unavailable", words, provider=name, retry_after=seconds)
        problem.headers["Retry-After"] = str(seconds)
        return problem
    return _unconfirmed(f"The provider {name} gave no clear answer: {error}", name, operation)


def _unconfirmed(words: str, name: str, operation: Operation) -> Problem:
    may = "It may have been done: look before you ask again."
    what = may if operation.effect is Effect.ACT else "Asking changes nothing: ask again."
    return Problem(504, "unconfirmed", f"{words.rstrip('.')}. {what}", provider=name)


def late(name: str, operation: Operation, seconds: float) -> Problem:
    """The problem that a provider's silence is."""
    return _unconfirmed(f"The provider {name} did not answer within {seconds:g} seconds", name, operation)
