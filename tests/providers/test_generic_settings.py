"""The tables of a generic provider: every mistake in them is told at once."""

import tomllib

import pytest

from dialerd.core.errors import ConfigError
from dialerd.providers.generic import Generic
from dialerd.providers.generic_settings import parse

GOOD = '[sms]\npath = "/send"\nsuccess = "^OK"\n'

MISTAKES = [
    ("", "sms", "Say how a request is made"),
    ("sms = 5", "sms", "Give a table"),
    ('[sms]\nsuccess = "x"', "sms.path", "This is needed"),
    ('[sms]\npath = "send"\nsuccess = "x"', "sms.path", "It begins with /"),
    ('[sms]\npath = "/a?b=c"\nsuccess = "x"', "sms.path", "It begins with /"),
    ('[sms]\npath = "/{secret}"\nsuccess = "x"', "sms.path", "There is no place {secret}"),
    ('[sms]\npath = "/send"', "sms", "Say how an answer tells that it was accepted"),
    (GOOD + 'method = "SEND"', "sms.method", "It is one of GET, POST, PUT"),
    (GOOD + 'pathh = "/x"', "sms.pathh", 'Did you mean "path"?'),
    (GOOD + 'query = { to = "{too}" }', "sms.query.to", 'Did you mean "to"?'),
    (GOOD + 'query = { to = "{to" }', "sms.query.to", "Braces enclose"),
    (GOOD + 'query = { to = "{to!r}" }', "sms.query.to", "There is no place"),
    (GOOD + 'query = { to = "{to:>9}" }', "sms.query.to", "There is no place"),
    (GOOD + 'query = { to = "{}" }', "sms.query.to", "There is no place"),
    (GOOD + 'query = { to = "{to.__class__}" }', "sms.query.to", "There is no place"),
    (GOOD + "query = { to = 5 }", "sms.query.to", "Give a text in quotes"),
    (GOOD + 'headers = { X = "{body}" }', "sms.headers.X", "There is no place {body}"),
    (GOOD + 'json = { a = ["{ref}"] }', "sms.json.a[0]", "There is no place {ref}"),
    (GOOD + 'form = { a = "b" }\nbody = "x"', "sms.body", "There is form already"),
    (GOOD + "statuses = [404]", "sms.statuses", "from 200 to 299"),
    (GOOD + "statuses = [true]", "sms.statuses", "from 200 to 299"),
    (GOOD + 'id = "a..b"', "sms.id", "Write a path into JSON"),
    (GOOD + 'id_pattern = "x"', "sms.id_pattern", "It needs one group"),
    (GOOD + 'id_pattern = "("', "sms.id_pattern", "Write a regular expression"),
    (GOOD + 'id = "a"\nid_pattern = "(x)"', "sms.id", "not both"),
    (GOOD + '[status]\npath = "/{ref}"', "status", "its word for the state"),
    (GOOD + '[status]\npath = "/"\nword = "w"', "status", "{ref}"),
    (GOOD + '[receipts]\nref = "id"', "receipts.word", "This is needed"),
    (GOOD + '[incoming]\nbody = "b"\nref = "r"', "incoming.sender", "This is needed"),
    (GOOD + '[words]\nok = "DONE_WITH"', "words.ok", "It is one of"),
    (GOOD + '[refused]\npattern = "x"', "refused", "Give a list of tables"),
    (GOOD + "[[refused]]", "refused[0]", "Say which answers"),
    (
        GOOD + '[[refused]]\npattern = "x"\nverdict = "rejectd"',
        "refused[0].verdict",
        'Did you mean "rejected"?',
    ),
]


@pytest.mark.parametrize(("toml", "where", "what"), MISTAKES)
def test_a_mistake_is_told_with_its_place(toml: str, where: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(tomllib.loads(toml))

    assert [each.where for each in caught.value.mistakes] == [where]
    assert what in caught.value.mistakes[0].what


def test_the_way_to_prove_who_asks_is_one_of_three() -> None:
    with pytest.raises(ConfigError, match="none, basic, bearer"):
        parse({**tomllib.loads(GOOD), "auth": "digest"})


def test_all_mistakes_are_told_at_once() -> None:
    toml = '[sms]\nmethod = "SEND"\npath = "x"\nid = ""\n[words]\na = "b"\n[[refused]]\nverdict = "no"'

    mistakes = list(Generic.against_options(tomllib.loads(toml)))

    assert [each.where for each in mistakes] == [
        "sms.method", "sms.path", "sms.id", "refused[0]", "refused[0].verdict", "words.a",
    ]  # fmt: skip


def test_tables_that_are_right_have_no_mistakes() -> None:
    assert list(Generic.against_options(tomllib.loads(GOOD))) == []
