import pytest

from dialerd.core.errors import Rejected
from dialerd.core.model import Call
from dialerd.core.policy import Rules, Trunk
from dialerd.core.routing import channel_for, extension_pattern, number_for, template_mistakes, trunk_for

PROVIDER = Trunk("provider", "PJSIP/{digits}@provider")
INTERNAL = Trunk("internal", "Local/{extension}@from-internal", extension_pattern(["1XXX", "*9."]))
MIXED = Trunk("mixed", "PJSIP/{digits}@pbx", extension_pattern(["XXX"]))
RULES = Rules(
    trunks={"provider": PROVIDER, "internal": INTERNAL}, default_trunk="provider", default_country="DE"
)


@pytest.mark.parametrize(
    ("template", "channel"),
    [
        ("PJSIP/{digits}@provider", "PJSIP/4930123456@provider"),
        ("PJSIP/{e164}@provider", "PJSIP/+4930123456@provider"),
        ("DAHDI/g1/{national}", "DAHDI/g1/030123456"),
        ("PJSIP/provider/sip:{e164}@sip.example:5060", "PJSIP/provider/sip:+4930123456@sip.example:5060"),
    ],
)
def test_the_template_says_how_a_public_number_is_dialled(template: str, channel: str) -> None:
    rules = Rules(trunks={"t": Trunk("t", template)})

    assert channel_for(Call(to=("+4930123456",)), "t", rules) == (channel, ())


@pytest.mark.parametrize(
    ("trunk", "channel"), [("internal", "Local/1000@from-internal"), ("mixed", "PJSIP/1000@pbx")]
)
def test_an_extension_is_dialled_as_it_is(trunk: str, channel: str) -> None:
    rules = Rules(trunks={"internal": INTERNAL, "mixed": MIXED})

    assert channel_for(Call(to=("1000",)), trunk, rules) == (channel, ())


def test_a_literal_channel_is_dialled_as_it_is() -> None:
    assert channel_for(Call(channel="PJSIP/100"), "", Rules()) == ("PJSIP/100", ())


def test_several_numbers_ring_by_way_of_the_ring_context() -> None:
    call = Call(to=("+4930123456", "+4930123457"), trunk="provider", wait_time=20)

    channel, variables = channel_for(call, call.trunk, RULES)

    assert channel == "Local/s@dialerd-ring"
    assert dict(variables) == {
        "DIALERD_RING": "PJSIP/4930123456@provider&PJSIP/4930123457@provider",
        "DIALERD_RING_TIME": "20",
    }


def test_several_channels_ring_by_way_of_the_ring_context() -> None:
    channel, variables = channel_for(Call(channel="PJSIP/100&PJSIP/101"), "", Rules(ring_context="all"))

    assert (channel, variables[0]) == ("Local/s@all", ("DIALERD_RING", "PJSIP/100&PJSIP/101"))


def test_a_call_whose_trunk_is_gone_is_rejected() -> None:
    with pytest.raises(Rejected, match="no trunk 'old', only provider, internal"):
        channel_for(Call(to=("+4930123456",)), "old", RULES)


def test_a_call_whose_trunk_has_no_place_for_its_number_any_more_is_rejected() -> None:
    with pytest.raises(Rejected, match="no place"):
        channel_for(Call(to=("+4930123456",)), "internal", RULES)


@pytest.mark.parametrize(
    ("name", "rules", "found"),
    [
        ("internal", RULES, INTERNAL),
        (None, RULES, PROVIDER),
        (None, Rules(trunks={"internal": INTERNAL}), INTERNAL),
    ],
)
def test_the_trunk_is_the_named_one_or_the_default_or_the_only_one(
    name: str | None, rules: Rules, found: Trunk
) -> None:
    assert trunk_for(name, rules) == found


@pytest.mark.parametrize(
    ("name", "rules", "sentence"),
    [
        ("intern", RULES, 'Did you mean "internal"'),
        (None, Rules(trunks=RULES.trunks), "several trunks: say which, one of provider, internal"),
        (None, Rules(), "No trunk is configured"),
    ],
)
def test_without_a_clear_trunk_the_sentence_says_which_there_are(
    name: str | None, rules: Rules, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        trunk_for(name, rules)


@pytest.mark.parametrize(
    ("text", "trunk", "number"),
    [
        ("1000", INTERNAL, "1000"),
        ("*97", INTERNAL, "*97"),
        ("030 123456", PROVIDER, "+4930123456"),
        ("123", MIXED, "123"),
        ("+49 30 123456", MIXED, "+4930123456"),
    ],
)
def test_an_extension_is_one_only_where_the_trunk_takes_it(text: str, trunk: Trunk, number: str) -> None:
    assert number_for(text, trunk, "DE") == number


@pytest.mark.parametrize(
    ("text", "trunk", "sentence"),
    [
        ("1000", PROVIDER, r"has the wrong length .* extensions = "),
        ("2000", INTERNAL, "no extension that the trunk 'internal' takes"),
        ("+4930123456", INTERNAL, "takes no public numbers"),
        ("112", MIXED, "emergency"),
        ("110", MIXED, "emergency"),
        ("1000&DAHDI/1", INTERNAL, "no phone number"),
        ("*9 1", INTERNAL, "no phone number"),
        ("1000\n", INTERNAL, "has the wrong length"),
    ],
)
def test_a_number_that_the_trunk_can_not_dial_is_refused(text: str, trunk: Trunk, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        number_for(text, trunk, "DE")


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("1XXX", ["1000", "1999"], ["100", "10000", "2000", "1a00", "+1000"]),
        ("ZN", ["12", "99"], ["02", "11"]),
        ("[13-5]0", ["10", "40"], ["20", "60"]),
        ("*9.", ["*91", "*9123#"], ["*9", "91"]),
        ("9!", ["9", "91"], ["8"]),
        ("nxz", ["201"], ["101"]),
    ],
)
def test_patterns_are_read_as_asterisk_reads_them(pattern: str, fits: list[str], does_not: list[str]) -> None:
    compiled = extension_pattern([pattern])

    assert [text for text in fits + does_not if compiled.fullmatch(text)] == fits


@pytest.mark.parametrize(
    "pattern", ["", "_1XXX", "1.5", "1 2", "abc", "[1", "[5-1]", "[-]", "(1)", "1|2", "+49X."]
)
def test_what_is_no_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="pattern"):
        extension_pattern([pattern])


@pytest.mark.parametrize(
    ("template", "extensions", "sentence"),
    [
        ("PJSIP/{digit}@t", False, 'Did you mean "digits"'),
        ("PJSIP/{digits:>20}@t", False, "no placeholder {digits:>20}"),
        ("PJSIP/100", False, "Without a placeholder"),
        ("{digits}", False, "Technology/Destination"),
        ("PJSIP/{digits}&PJSIP/1", False, "Technology/Destination"),
        ("PJSIP/{digits}@t,30", False, "Technology/Destination"),
        ("PJSIP/{digits}}@t", False, "Technology/Destination"),
        ("PJSIP/ {digits}", False, "Technology/Destination"),
        ("Local/{extension}@x", False, "takes none"),
        ("PJSIP/{e164}@t", True, "no place for one"),
        ("Local/{extension}{e164}@x", True, "make two trunks"),
    ],
)
def test_a_template_with_a_mistake_is_told_in_a_sentence(
    template: str, extensions: bool, sentence: str
) -> None:
    assert any(sentence in mistake for mistake in template_mistakes(template, extensions))


@pytest.mark.parametrize(
    ("template", "extensions"),
    [("PJSIP/{digits}@t", False), ("PJSIP/{digits}@t", True), ("Local/{extension}@from-internal/n", True)],
)
def test_a_right_template_has_no_mistakes(template: str, extensions: bool) -> None:
    assert list(template_mistakes(template, extensions)) == []
