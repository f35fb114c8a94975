import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialerd.core.report_urls import origin, place, report_url_mistake, shown, url_mistake

ALLOWED = ("https://hooks.example.com/calls", "https://crm.example.com:8443/", "http://10.0.0.5/told/")


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/calls",
        "https://HOOKS.example.com:443/calls/1?id=7&x=%20",
        "https://hooks.example.com./calls/",
        "https://crm.example.com:8443",
        "https://crm.example.com:8443/a/b",
        "http://10.0.0.5/told/x",
    ],
)
def test_an_address_that_goes_on_from_an_allowed_one_passes(url: str) -> None:
    assert report_url_mistake(url, ALLOWED) is None


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.example.com/callsign",
        "https://hooks.example.com/Calls",
        "https://hooks.example.com/",
        "https://hooks.example.com:444/calls",
        "http://hooks.example.com/calls",
        "https://hooks.example.com.evil.example/calls",
        "https://evil.example/https://hooks.example.com/calls",
        "https://crm.example.com/",
        "http://10.0.0.5/told",
        "https://hooks.example.com/%63alls",
    ],
)
def test_an_address_beside_the_allowed_ones_is_refused(url: str) -> None:
    assert "must begin with https://hooks.example.com/calls or" in (report_url_mistake(url, ALLOWED) or "")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://hooks.example.com/calls/../admin", "Its path"),
        ("https://hooks.example.com/calls/%2e%2E/admin", "Its path"),
        ("https://hooks.example.com/calls/./x", "Its path"),
        ("https://hooks.example.com/calls/..;x/admin", "Its path"),
        ("https://hooks.example.com/calls/a%2fb", "Its path"),
        ("https://hooks.example.com/calls/a%5Cb", "Its path"),
        ("https://user:secret@hooks.example.com/calls", "a user or a password"),
        ("https://hooks.example.com@evil.example/calls", "a user or a password"),
        ("https://hooks.example.com/calls#x", "after #"),
        ("https://hooks.example.com\\@evil.example/calls", "letters that no address has"),
        ("https://hooks.example.com/ca lls", "letters that no address has"),
        ("https://hooks.example.com/\ncalls", "letters that no address has"),
        ("https://hooks.example.com/%zz", "letters that no address has"),
        ("https://höoks.example.com/calls", "letters that no address has"),
        ("https://:443/calls", "no host"),
        ("https://hooks.example.com:0/calls", "no host"),
        ("https://hooks.example.com:99999/calls", "no address"),
        ("https://[::1/calls", "no address"),
        ("https://hooks%2eexample.com/", "no host"),
        ("ftp://hooks.example.com/calls", "https://"),
        ("hooks.example.com/calls", "https://"),
        ("", "letters that no address has"),
        ("https://hooks.example.com/calls/" + "x" * 2000, "2000 are the most"),
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_refused(url: str, why: str) -> None:
    assert why in (report_url_mistake(url, ALLOWED) or "")


def test_without_a_list_nothing_is_allowed() -> None:
    assert "[reports]: allowed_urls" in (report_url_mistake("https://hooks.example.com/", ()) or "")


def test_plain_http_is_a_mistake_where_it_is_not_asked_for() -> None:
    assert url_mistake("http://hooks.example.com/") is not None
    assert url_mistake("http://hooks.example.com/", plain=True) is None


def test_an_address_is_shown_without_what_may_be_secret() -> None:
    assert (
        shown("https://me:pw@hooks.example.com:8443/x?token=s3cret#y") == "https://hooks.example.com:8443/x"
    )


def test_a_place_is_host_and_port() -> None:
    assert place("https://Hooks.example.com/x") == "hooks.example.com:443"
    assert place("http://[2001:DB8::1]:8080/") == "[2001:db8::1]:8080"


@given(st.text(alphabet="htps:/.@\\?#%2e[]az0\n ", max_size=60))
def test_whatever_passes_has_one_host_and_port(text: str) -> None:
    if report_url_mistake(text, ("https://a/", "http://a/")) is None:
        assert origin(text)[1] == "a"
