"""What is made of a provider's values."""

import pytest

from dialerd.providers.base import whole


@pytest.mark.parametrize(
    ("written", "read"),
    [("12", 12), ("12.0", 12), (7, 7), ("-3", -3), ("", None), (None, None), ("x", None), ([], None)],
)
def test_a_whole_number_is_read_as_it_is_written(written, read):
    assert whole(written) == read


@pytest.mark.parametrize("written", ["1e300", "inf", "nan", 10**400, 1e18, "-1e300"])
def test_a_number_that_nothing_can_be_counted_with_is_none(written):
    assert whole(written) is None
