import pytest

from dialerd.core.destinations import Destinations, caller_id_allowed, longest_match, refusal

BERLIN, LONDON, LEEDS, JERSEY = "+4930123456", "+442012345678", "+441132345678", "+441534123456"
WASHINGTON, TORONTO, JAMAICA, PARIS = "+12025550123", "+14165550123", "+18765550123", "+33123456789"


@pytest.mark.parametrize(
    ("patterns", "allowed", "denied"),
    [
        ([], [], [BERLIN, WASHINGTON]),
        (["DE"], [BERLIN], [LONDON, WASHINGTON]),
        (["GB"], [LONDON, LEEDS], [JERSEY]),
        (["US"], [WASHINGTON], [TORONTO, JAMAICA]),
        (["+1"], [WASHINGTON, TORONTO, JAMAICA], [BERLIN]),
        (["+1", "!+1876"], [WASHINGTON, TORONTO], [JAMAICA]),
        (["*"], [BERLIN, JAMAICA, "+80012345678"], []),
        (["*", "!DE", "+4930"], [BERLIN, LONDON], ["+4989123456"]),
        (["GB", "!+4420"], [LEEDS], [LONDON]),
        (["+44", "!+4420", "+44201"], [LONDON, LEEDS], ["+442079460000"]),
        ([" ! +44 (20)", "GB "], [LEEDS], [LONDON]),
        (["+4930123456"], [BERLIN], ["+4930123457"]),
    ],
)
def test_the_most_specific_pattern_decides(
    patterns: list[str], allowed: list[str], denied: list[str]
) -> None:
    destinations = Destinations.parse(patterns)

    assert [number for number in allowed if not destinations.allows(number)] == []
    assert [number for number in denied if destinations.allows(number)] == []


def test_the_order_of_patterns_does_not_matter() -> None:
    patterns = ["*", "!GB", "+4420", "!+44201"]

    seen = {(Destinations.parse(each).allows(LONDON)) for each in (patterns, patterns[::-1])}

    assert seen == {False}


def test_an_extension_is_no_destination() -> None:
    everywhere = Destinations.parse(["*"])

    assert everywhere.best("1000") is None
    assert refusal("1000", Destinations(), public=True) is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "no destination"),
        ("!", "no destination"),
        ("de", 'Did you mean "DE"'),
        ("UK", 'Did you mean "GB"'),
        ("XX", "a country such as DE"),
        ("EU", "no destination"),
        ("4420", 'Did you mean "+4420"'),
        ("0044 20", 'Did you mean "+4420"'),
        ("000", "begins with +"),
        ("+0", "no prefix"),
        ("+", "no prefix"),
        ("+44*", "no prefix"),
        ("+1234567890123456", "no prefix"),
        ("+٤٤", "no prefix"),
        ("!!DE", "no destination"),
        ("DE,FR", "no destination"),
    ],
)
def test_what_is_no_destination_is_refused_in_a_sentence(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match="'") as caught:
        Destinations.parse([text])

    assert repr(text) in str(caught.value)
    assert sentence in str(caught.value)


def test_every_mistake_of_a_list_is_named_at_once() -> None:
    with pytest.raises(ValueError, match="destination") as caught:
        Destinations.parse(["DE", "Germany", "44", "!FR", "FR"])

    said = str(caught.value)
    assert [each in said for each in ("'Germany'", "'44'", '"FR" and "!FR" contradict')] == [True] * 3


def test_denying_alone_is_refused_since_it_allows_nothing() -> None:
    with pytest.raises(ValueError, match="nothing is allowed"):
        Destinations.parse(["!FR"])


@pytest.mark.parametrize("patterns", [["+1", "!JM"], ["!+1", "CA"], ["+4", "!DE"], ["!+49", "DE"]])
def test_a_country_that_a_shorter_prefix_overrules_is_refused(patterns: list[str]) -> None:
    with pytest.raises(ValueError, match="prefixes go before countries"):
        Destinations.parse(patterns)


def test_the_longest_match_wins_and_then_the_first() -> None:
    routes = [
        (Destinations.parse(["*"]), "anything"),
        (Destinations.parse(["DE"]), "germany"),
        (Destinations.parse(["+4930"]), "berlin"),
        (Destinations.parse(["+4930"]), "berlin too"),
        (Destinations.parse(["*", "!+49301"]), "not berlin 1"),
    ]

    chosen = [longest_match(number, routes) for number in (BERLIN, "+4989123456", PARIS)]

    assert chosen == ["berlin", "germany", "anything"]
    assert longest_match(BERLIN, dict(routes)) == "berlin too"
    assert longest_match(PARIS, routes[1:4]) is None


def test_equal_lists_are_one_key() -> None:
    assert {Destinations.parse(["DE", "FR"]): 1}[Destinations.parse(("FR", "DE"))] == 1


@pytest.mark.parametrize(
    ("number", "rule"),
    [
        ("+19005551234", "premium"),
        ("+499001234567", "premium"),
        ("+979123456789", "premium"),
        ("+870773123456", "satellite"),
        ("+881612345678", "satellite"),
        ("+8821612345678", "satellite"),
        ("+883510012345678", "satellite"),
    ],
)
def test_premium_and_satellite_are_refused_on_public_trunks_whatever_is_allowed(
    number: str, rule: str
) -> None:
    allowed = Destinations.parse(["*", number])

    refused = refusal(number, allowed, public=True)

    assert refused is not None
    assert refused.rule == rule
    assert "never" in refused.what
    assert refusal(number, allowed, public=False) is None


@pytest.mark.parametrize(
    ("number", "public", "line"),
    [
        (PARIS, True, 'under [calls]: destinations = ["FR"]'),
        (PARIS, False, 'under [calls]: destinations = ["FR"]'),
        (JAMAICA, True, 'under [calls]: destinations = ["JM"]'),
        ("+80012345678", True, 'under [calls]: destinations = ["+800"]'),
        ("+881612345678", False, 'under [calls]: destinations = ["+881"]'),
        (LONDON, True, '"!+4420" is among the destinations'),
    ],
)
def test_a_refusal_names_the_line_that_would_allow_the_number(number: str, public: bool, line: str) -> None:
    refused = refusal(number, Destinations.parse(["DE", "GB", "!+4420"]), public)

    assert refused is not None
    assert refused.rule == "destination"
    assert number in refused.what
    assert line in refused.what


def test_a_refusal_by_a_trunk_names_its_section() -> None:
    refused = refusal(PARIS, Destinations(), public=True, section="trunks.provider")

    assert refused is not None
    assert "[trunks.provider]" in refused.what


def test_what_is_allowed_is_not_refused() -> None:
    assert refusal(BERLIN, Destinations.parse(["DE"]), public=True) is None


@pytest.mark.parametrize(
    ("number", "patterns", "allowed"),
    [
        ("+4930123456", ["+4930123*"], True),
        ("4930123456", ["+4930123*"], True),
        ("+4930123456", ["4930123*"], True),
        ("+49 30 / 123-456", ["+49 30 123*"], True),
        ("030123456", ["+4930123*"], False),
        ("+4930124456", ["+4930123*"], False),
        ("+4930123456", ["+4930123"], False),
        ("+4930123456", ["1000", "*"], True),
        ("+4930123456", [], False),
        ("1000", ["1??0"], True),
        ("1000", ["+1*"], True),
        ("*", ["1*"], False),
    ],
)
def test_a_caller_id_is_compared_by_its_digits(number: str, patterns: list[str], allowed: bool) -> None:
    assert caller_id_allowed(number, patterns) is allowed
