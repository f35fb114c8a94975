"""Which ways out may take a job: trunks and providers, by routes, by rules, by what providers can do."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from dialerd.core.destinations import Destinations
from dialerd.core.errors import Mistake, Refusal
from dialerd.core.model import Call
from dialerd.core.policy import Provider, Route, Rules, Trunk
from dialerd.core.routing import NoWay, Wish, against, as_sent, ways_for, willing
from dialerd.core.tasks import Fax, Ivr, Script, Sms, Step, Task

VOICE = frozenset({"voice.connect", "voice.say"})
TEXTS = frozenset({"sms.send"})
EVERYWHERE = Destinations.parse(["*"])
GERMANY = Destinations.parse(["DE"])
BERLIN = Destinations.parse(["+4930"])
NUMBER = "+4930123456"
RULES = Rules(
    trunks={"line": Trunk("line", "PJSIP/{digits}@line")},
    providers={
        "a": Provider("a", "test", TEXTS | VOICE, sender="+4930999999"),
        "b": Provider("b", "test", TEXTS),
    },
    destinations=EVERYWHERE,
    default_country="DE",
)
SMS = Wish("sms", "sms.send", by_trunk=False)
SAID = Wish("call", "voice.say", by_trunk=False)
PLAYED = Wish("call")
EITHER = Wish("call", "voice.say")


def routed(*routes: Route, **changes: object) -> Rules:
    return replace(RULES, routes=routes, **changes)  # type: ignore[arg-type]


def ways(wish: Wish, rules: Rules, number: str = NUMBER) -> tuple[str, ...]:
    return ways_for(number, wish, rules)[1]


@pytest.mark.parametrize(
    ("wish", "found"), [(PLAYED, ("line",)), (EITHER, ("line", "a")), (SAID, ("a",))], ids=["x", "y", "z"]
)
def test_of_a_route_only_those_ways_are_kept_that_can_do_it(wish: Wish, found: tuple[str, ...]) -> None:
    rules = routed(Route(EVERYWHERE, ("b", "line", "a")))

    assert ways(wish, rules) == found


def test_a_route_counts_for_its_kinds_only() -> None:
    rules = routed(Route(EVERYWHERE, ("line",)), Route(EVERYWHERE, ("b", "a"), kinds=("sms", "fax")))

    assert (ways(SMS, rules), ways(PLAYED, rules)) == (("b", "a"), ("line",))


@pytest.mark.parametrize(
    ("tags", "found"), [((), ("a",)), (("vip",), ("b",)), (("x", "vip"), ("b",)), (("x",), ("a",))]
)
def test_of_equal_prefixes_a_route_for_one_of_the_tags_goes_first(
    tags: tuple[str, ...], found: tuple[str, ...]
) -> None:
    plain, tagged = Route(GERMANY, ("a",), ("sms",)), Route(GERMANY, ("b",), ("sms",), ("vip", "gold"))
    wish = replace(SMS, tags=tags)

    assert [ways(wish, routed(plain, tagged)), ways(wish, routed(tagged, plain))] == [found, found]


def test_a_longer_prefix_goes_before_a_tag() -> None:
    rules = routed(Route(GERMANY, ("b",), ("sms",), ("vip",)), Route(BERLIN, ("a",), ("sms",)))

    assert ways(replace(SMS, tags=("vip",)), rules) == ("a",)


def test_without_a_route_a_call_that_a_trunk_can_make_goes_to_the_trunk() -> None:
    assert (ways(PLAYED, RULES), ways(EITHER, RULES)) == (("line",), ("line",))


def test_without_a_route_what_no_trunk_can_do_goes_to_the_only_provider_that_can() -> None:
    rules = replace(RULES, providers={"a": RULES.providers["a"], "c": Provider("c", "test", VOICE)})

    assert (ways(SMS, rules), ways(SAID, RULES)) == (("a",), ("a",))


TWICE = replace(RULES, providers={**RULES.providers, "c": replace(RULES.providers["a"], name="c")})


@pytest.mark.parametrize(
    ("wish", "rules", "sentence"),
    [
        (SMS, RULES, "say which provider, a or b"),
        (SAID, TWICE, "say which provider, a or c"),
        (SMS, Rules(destinations=EVERYWHERE), "No provider is configured that can send a text message"),
        (replace(SMS, provider="c"), RULES, "no provider 'c', only a, b"),
        (
            replace(SAID, provider="b"),
            RULES,
            "'b' can't call a number, and speak a text. Name one that can: a",
        ),
        (replace(PLAYED, provider="a"), RULES, "say what it does on answer"),
        (SMS, routed(Route(EVERYWHERE, ("line",), ("sms",))), "leads to line only"),
        (PLAYED, routed(Route(EVERYWHERE, ("a",))), "which are providers: say what they do"),
    ],
)
def test_where_no_way_is_clear_the_sentence_says_what_there_is(
    wish: Wish, rules: Rules, sentence: str
) -> None:
    with pytest.raises(NoWay, match=sentence):
        ways(wish, rules)


def test_a_named_provider_is_the_only_way_whatever_the_routes_say() -> None:
    rules = routed(Route(EVERYWHERE, ("b",), ("sms",)))

    assert ways(replace(SMS, provider="a"), rules) == ("a",)


@pytest.mark.parametrize(
    ("number", "rules", "rule"),
    [
        ("+4930123456", replace(RULES, destinations=Destinations.parse(["FR"])), "destination"),
        ("+43900123456", RULES, "premium"),
        ("112", RULES, "emergency"),
        (NUMBER, replace(RULES, stopped=lambda number: f"{number} is on a list"), "do_not_call"),
        (NUMBER, replace(RULES, usable_trunks=("b",), role="sales"), "role"),
    ],
)
def test_a_provider_is_held_to_the_rules_that_trunks_are_held_to(
    number: str, rules: Rules, rule: str
) -> None:
    with pytest.raises(Refusal) as caught:
        ways(replace(SMS, provider="a"), rules, number)

    assert caught.value.rule == rule


def test_a_providers_own_destinations_and_senders_leave_it_out() -> None:
    abroad = replace(RULES.providers["a"], destinations=Destinations.parse(["FR"]))
    shy = replace(RULES.providers["a"], senders=("+4930*",))
    route = Route(EVERYWHERE, ("a", "b"), ("sms",))
    named = replace(SMS, senders=("ACME",))

    found = [
        ways(named, routed(route, providers={"a": each, "b": RULES.providers["b"]})) for each in (abroad, shy)
    ]

    assert found == [("b",), ("b",)]
    with pytest.raises(Refusal, match=r"\[providers.a\]: senders = \[\"ACME\"\]"):
        ways(replace(named, provider="a"), replace(RULES, providers={"a": shy}))


def test_an_extension_is_for_trunks_only() -> None:
    with pytest.raises(ValueError, match="wrong length"):
        ways(replace(SMS, provider="a"), RULES, "1000")


CONNECT = Call(to=(NUMBER,), script=Script(connect="+4930654321"))
SESSION = Ivr((Step("gather", on_digits=(("1", (Step("transfer", dest="+4930654321"),)),)),))


@pytest.mark.parametrize(
    ("call", "task", "where"), [(CONNECT, None, "connect"), (Call(to=(NUMBER,)), SESSION, "steps")]
)
def test_every_number_that_would_be_called_is_held_to_the_rules(
    call: Call, task: Task | None, where: str
) -> None:
    stopped = replace(RULES, stopped=lambda number: "stop" if number.endswith("321") else None)
    abroad = replace(RULES, destinations=Destinations.parse(["*", "!+4930654"]))

    found = [willing(call, task, ("a",), rules) for rules in (RULES, stopped, abroad)]

    assert [taken for taken, _ in found] == [("a",), (), ()]
    assert [(each.where, each.rule) for _, mistakes in found for each in mistakes] == [
        (where, "do_not_call"),
        (where, "destination"),
    ]
    assert against(call, "a", stopped, task) is not None


def objecting(kind: str, call: Call, task: Task | None) -> Iterator[Mistake]:
    assert isinstance(task, Sms)
    if task.sender is None:
        yield Mistake("sender", "It needs a sender.")
    if len(task.body) > 5:
        yield Mistake("body", "It is too long.")


def test_a_way_that_objects_is_left_out_and_told_of_where_none_is_left() -> None:
    providers = {
        "a": replace(RULES.providers["b"], name="a", objections=objecting),
        "b": RULES.providers["b"],
    }
    rules = replace(RULES, providers=providers)

    some = willing(Call(to=(NUMBER,)), Sms("hello"), ("a", "b"), rules)
    none = willing(Call(to=(NUMBER,)), Sms("hello, world"), ("a",), rules)

    assert some[0] == ("b",)
    assert none == (
        (),
        [
            Mistake("sender", "It needs a sender.", "provider"),
            Mistake("body", "It is too long.", "provider"),
        ],
    )


def test_objections_are_asked_with_the_default_sender_which_the_job_itself_does_not_get() -> None:
    rules = replace(RULES, providers={"a": replace(RULES.providers["a"], objections=objecting)})

    assert willing(Call(to=(NUMBER,)), Sms("hello"), ("a",), rules) == (("a",), [])


@pytest.mark.parametrize(
    ("task", "sender", "shown"),
    [
        (Sms("x"), "ACME", "ACME"),
        (Sms("x", sender="me"), "ACME", "me"),
        (Fax("0", "x", 1), "+4930999999", "+4930999999"),
        (Fax("0", "x", 1), "ACME", None),
    ],
)
def test_a_default_sender_is_filled_in_where_none_is_named(task: Task, sender: str, shown: str) -> None:
    _, sent = as_sent(Call(to=(NUMBER,)), task, Provider("a", "test", sender=sender))

    assert (sent.sender if isinstance(sent, Sms) else sent.caller_id) == shown  # type: ignore[union-attr]


def test_whoever_calls_us_is_no_destination_but_whom_he_is_connected_with_is() -> None:
    rules = replace(RULES, destinations=Destinations.parse(["+4930654"]))
    incoming = replace(SESSION, session="S1")

    found = [against(Call(to=("+33123456789",)), "a", rules, each) for each in (SESSION, incoming)]

    assert [each and each.rule for each in found] == ["destination", None]
    assert against(Call(to=("anonymous",)), "a", replace(rules, destinations=BERLIN), incoming) is None
    assert against(Call(to=("anonymous",)), "a", replace(rules, destinations=Destinations()), incoming)


def test_at_the_hand_over_the_rules_of_then_count() -> None:
    call, task = Call(to=(NUMBER,)), Sms("hello", sender="ACME")
    shy = replace(RULES, providers={"a": replace(RULES.providers["a"], senders=("+4930*",))})
    gone = replace(RULES, providers={})

    refused = against(call, "a", shy, task)

    assert refused is not None
    assert refused.rule == "caller_id"
    assert (against(call, "a", RULES, task), against(call, "a", gone, task)) == (None, None)
