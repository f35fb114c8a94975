from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from dialerd.core.windows import Hours, next_open, parse_windows

NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Africa/Casablanca",
    "Pacific/Chatham",
    "UTC",
)
STARTS = ("2027-03-27", "2027-10-30", "2027-03-13", "2026-10-31", "2026-10-03", "2027-04-03", "2026-12-24")
QUARTERS = st.integers(0, 95).map(lambda quarter: quarter * 15)
DRAWN = st.lists(
    st.tuples(st.integers(0, 6), QUARTERS, st.integers(1, 95)).map(
        lambda each: (each[0], each[1], each[2] * 15)
    ),
    min_size=1,
    max_size=6,
)
"""Windows as a weekday, the minute of its beginning, and its minutes."""

Drawn = list[tuple[int, int, int]]


def written(windows: Drawn) -> list[str]:
    """The windows as their users write them."""
    ends = [(day, begin, (begin + length) % 1440) for day, begin, length in windows]
    return [
        f"{NAMES[day]} {begin // 60:02}:{begin % 60:02}-{end // 60:02}:{end % 60:02}"
        for day, begin, end in ends
    ]


def is_open(moment: datetime, windows: Drawn, zones: list[str], closed: set[date]) -> bool:
    """The oracle: looks at the wall clock of each zone, and knows nothing else."""
    for zone in zones:
        local = moment.astimezone(ZoneInfo(zone))
        minute = local.hour * 60 + local.minute
        yesterday = local.date() - timedelta(days=1)
        begun = [(local.date(), minute), (yesterday, minute + 1440)]
        if not any(
            at.weekday() == day and begin <= passed < begin + length and at not in closed
            for at, passed in begun
            for day, begin, length in windows
        ):
            return False
    return True


@settings(max_examples=60)
@given(
    DRAWN,
    st.lists(st.sampled_from(ZONES), min_size=1, max_size=2, unique=True),
    st.sampled_from(STARTS),
    st.integers(0, 1439),
    st.sets(st.integers(0, 2), max_size=1),
)
def test_it_opens_and_closes_as_a_look_at_the_clock_each_minute_says(
    windows: Drawn, zones: list[str], start: str, minute: int, shut: set[int]
) -> None:
    now = datetime.fromisoformat(start).replace(tzinfo=UTC) + timedelta(minutes=minute)
    closed = {now.date() + timedelta(days=day) for day in shut}
    minutes = [now + timedelta(minutes=each) for each in range(3 * 1440)]
    seen = [is_open(each, windows, zones, closed) for each in minutes]
    hours = Hours("drawn", parse_windows(written(windows)), closed=tuple(closed))

    found = next_open(now, [hours], zones)

    if True not in seen:
        assert found is None or found.opens > minutes[-1]
        return
    opens = seen.index(True)
    assert found is not None
    assert found.opens == minutes[opens]
    if False in seen[opens:]:
        assert found.closes == minutes[seen.index(False, opens)]
    else:
        assert found.closes is None or found.closes > minutes[-1]
