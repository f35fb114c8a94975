"""When a report that was not delivered is tried again."""

from collections.abc import Callable

DELAYS_S = (5, 300, 1800, 7200, 18000, 36000, 50400)
"""The schedule that Standard Webhooks recommends (its specification, "Deliverability and reliability"); the
last is repeated until `give_up_after`."""

JITTER = 0.1
LONGEST_PAUSE_S = 300


def delay(tries: int, noise: Callable[[], float]) -> float:
    """Seconds from the end of a failed try, counted from 1, to the next. `noise` gives 0 to 1."""
    planned = DELAYS_S[min(tries, len(DELAYS_S)) - 1]
    return planned * (1 + JITTER * noise())


def pause(failures: int) -> float:
    """Seconds for which a whole sink is left alone after so many failures in a row."""
    return float(min(LONGEST_PAUSE_S, 5 * 2 ** min(failures - 1, 10)))


LONGEST_DELAY_S = DELAYS_S[-1] * (1 + JITTER)
