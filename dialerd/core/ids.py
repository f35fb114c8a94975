"""Job ids: 13 characters that sort by the time of acceptance, and are never used twice."""

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base 32: no i, l, o, u, so that an id can be read out over the phone."""

LENGTH = 13
LARGEST = 2**63 - 1
"""What an integer of SQLite holds (https://sqlite.org/datatype3.html)."""

_RANDOM_BITS = 21


def next_id(last: int, now_ms: int, noise: int) -> int:
    """The number of a new job: milliseconds and 21 bits of noise, and always more than `last`, whatever the
    clock does."""
    return max(last + 1, now_ms << _RANDOM_BITS | noise & (1 << _RANDOM_BITS) - 1)


def to_text(number: int) -> str:
    """The id as users see it."""
    digits = []
    for _ in range(LENGTH):
        number, digit = divmod(number, 32)
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def to_number(text: str) -> int:
    """The number behind an id. Raises ValueError for what is no id."""
    if len(text) != LENGTH:
        raise ValueError(f"a job id has {LENGTH} characters")
    number = 0
    for character in text:
        number = number * 32 + ALPHABET.index(character)
    if number > LARGEST:
        raise ValueError("a job id has 63 bits")
    return number
