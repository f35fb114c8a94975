"""What is made of the answers, and what is wrong with them."""

import tomllib
from pathlib import Path

import pytest

from dialerd.config import load
from dialerd.setup.answers import Answers, known, mistakes, toml
from tests.configuring import credentials_in

FULL = Answers(
    spool="/srv/spool",
    user="ast",
    service="asterisk.service",
    ami_host="::1",
    ami_port=5039,
    ami_user="robot",
    country="DE",
    destinations=("DE", "!+49180"),
    contexts=("survey", "ivr-*"),
    trunks=(("main", "PJSIP/{digits}@me"), ("int", 'Local/{e164}@"x"')),
)


@pytest.mark.parametrize("answers", [Answers(), FULL], ids=["nothing said", "everything said"])
def test_what_setup_knows_is_what_it_wrote(answers: Answers) -> None:
    assert Answers(**known(toml(answers))) == answers


def test_what_setup_writes_can_be_loaded(tmp_path: Path) -> None:
    path = tmp_path / "dialerd.toml"
    good = Answers(
        country="DE", destinations=("DE",), contexts=("s",), trunks=(("main", "PJSIP/{digits}@me"),)
    )
    path.write_text(toml(good))

    config = load(path, credentials_in(tmp_path))

    assert config.ami is not None
    assert config.ami.secret == "s3cret"
    rules = config.rules()
    assert (rules.default_country, rules.contexts, list(rules.trunks)) == ("DE", ("s",), ["main"])


def test_only_what_is_not_the_default_is_written() -> None:
    assert tomllib.loads(toml(Answers())) == {"ami": {}}


def test_good_answers_have_no_mistakes() -> None:
    good = Answers(country="DE", destinations=("DE",), trunks=(("main", "PJSIP/{digits}@me"),))

    assert list(mistakes(good)) == []


def test_every_mistake_is_told_by_its_option() -> None:
    wrong = Answers(
        spool="spool",
        user="no one",
        ami_host="pbx.example.com",
        ami_port=0,
        ami_user="general",
        country="XX",
        destinations=("Q",),
        contexts=("a" * 201,),
        trunks=(("main", "PJSIP/100"), ("a b", "PJSIP/{digits}@x"), ("two", "PJSIP/{digits}@x")) * 2,
    )

    found = {each.where for each in mistakes(wrong)}

    assert found == {
        *("--spool", "--asterisk-user", "--ami-host", "--ami-port", "--ami-user", "--country"),
        *("--destinations", "--context", "--trunk main", "--trunk a b", "--trunk two"),
    }


@pytest.mark.parametrize(
    "answers", [Answers(spool="/a\nb"), Answers(contexts=("\x7f",)), Answers(user="\udcff")]
)
def test_control_characters_are_refused(answers: Answers) -> None:
    assert ["control character" in each.what for each in mistakes(answers)] == [True]


@pytest.mark.parametrize("spool", ["/a b", "/a/%h", "/a/../b", "/a;b", "relative"])
def test_a_spool_that_systemd_would_read_otherwise_is_refused(spool: str) -> None:
    assert "--spool" in {each.where for each in mistakes(Answers(spool=spool))}


@pytest.mark.parametrize("text", ["not [toml", "asterisk = 1\ncalls = []", "[ami]\nport = 'x'"])
def test_a_configuration_that_is_none_says_nothing(text: str) -> None:
    assert known(text) == {}
