import tomllib

import pytest
from pydantic import ValidationError

from dialerd.config.retry import RetrySettings, names
from dialerd.core.errors import Mistake
from dialerd.core.retry import RetryPolicy, Rule
from dialerd.core.sentences import mistake_of


def settings(text: str) -> RetrySettings:
    return RetrySettings.model_validate(tomllib.loads(text))


def mistakes(text: str) -> dict[str, str]:
    """Every mistake by its key, as the configuration words them."""
    with pytest.raises(ValidationError) as caught:
        settings(text)
    found = (
        mistake_of(each, lambda place: names(("retry", "office", *place)))
        for each in caught.value.errors(include_url=False)
    )
    return {each.where: each.what for each in found if isinstance(each, Mistake)}


def test_an_empty_section_is_the_default_policy() -> None:
    assert settings("").policy("office") == RetryPolicy("office")


def test_a_whole_section_becomes_a_policy() -> None:
    text = """
        busy = { delay = "2m", growth = 2, jitter = 0.2, count = 4, longest = "10m" }
        noanswer.count = 0
        congestion = { delay = "30s" }
        failed = { delay = "8h" }
        max_dials = 6
        kill_after = "2d"
    """

    policy = settings(text).policy("office")

    default = RetryPolicy("")
    assert policy == RetryPolicy(
        "office",
        busy=Rule(120, 2.0, 0.2, 4, 600),
        noanswer=Rule(300, 2.0, 0.1, 0, default.noanswer.longest_s),
        congestion=Rule(30, 2.0, 0.1, 6, 900),
        failed=Rule(8 * 3600, 2.0, 0.1, 2, 8 * 3600),
        max_dials=6,
        kill_after_s=2 * 86400,
    )


def test_all_mistakes_come_together_each_with_a_sentence() -> None:
    text = """
        busy = { delay = 180, growth = "2", jitter = 0.6, count = -1 }
        noanswer = { delay = "1h", longest = "30m" }
        congestion = { retries = 3, growth = nan }
        failed = { delay = "10m", dely = "5m" }
        max_dials = 0
        kill_after = "1 fortnight"
    """

    found = mistakes(text)

    assert set(found) == {
        "busy.delay",
        "busy.growth",
        "busy.jitter",
        "busy.count",
        "noanswer",
        "congestion.retries",
        "congestion.growth",
        "failed.dely",
        "max_dials",
        "kill_after",
    }
    assert found["busy.growth"] == "Give a number without quotes, such as 1.5."
    assert found["failed.dely"] == 'This name is not known here. Did you mean "delay"?'
    assert found["noanswer"] == ("The longest delay, 30m, is shorter than the first, 1h: change one of them.")


def test_a_longest_delay_below_the_default_delay_is_refused() -> None:
    assert "shorter than the first, 3m" in mistakes('busy.longest = "1m"')["busy"]


def test_counts_that_max_dials_never_reaches_are_refused() -> None:
    found = mistakes("max_dials = 5\nbusy.count = 5\nnoanswer.count = 9\nfailed.count = 4")

    assert found == {
        "max_dials": "5 dials in all, the first one too, are fewer than busy.count = 5 and"
        " noanswer.count = 9 retries need: raise max_dials, or lower the count."
    }


def test_a_count_beyond_the_default_of_max_dials_is_refused() -> None:
    assert "raise max_dials" in mistakes("busy.count = 12")["max_dials"]


def test_a_kill_time_before_the_first_retry_is_refused() -> None:
    found = mistakes('kill_after = "50s"\nbusy.delay = 5')

    assert "the shortest delay is 1m" in found["kill_after"]
    assert "busy.delay" in found


@pytest.mark.parametrize(
    "text",
    [
        'kill_after = "2m"\ncongestion.count = 0\nbusy.delay = "90s"',
        'kill_after = "1s"\nbusy.count = 0\nnoanswer.count = 0\ncongestion.count = 0\nfailed.count = 0',
        'busy = { count = 0, delay = "5m" }',
        "max_dials = 1",
    ],
)
def test_what_is_no_contradiction_is_taken(text: str) -> None:
    assert settings(text).policy("office").name == "office"


def test_names_are_those_of_their_place() -> None:
    assert "max_dials" in names(("retry", "office"))
    assert "growth" in names(("retry", "office", "busy"))
