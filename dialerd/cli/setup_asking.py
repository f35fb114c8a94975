"""The questions of `dialerctl setup`, on a terminal: each with what was found, and again while the answer is
wrong."""

from dataclasses import replace
from typing import Any

import click

from dialerd.setup.answers import Answers, is_loopback, mistakes
from dialerd.setup.ground import Ground


def ask(answers: Answers, given: set[str], ground: Ground) -> Answers:
    """The answers, with those of a person to what was not given as an option."""
    if ground.freepbx:
        click.echo("This is a FreePBX: docs/setup.md says what differs.", err=True)
    if "spool" not in given:
        answers = _one(answers, "spool", "Asterisk's spool (astspooldir)")
    if "user" not in given:
        answers = _one(answers, "user", "The user that Asterisk runs as")
    if "ami_port" not in given and is_loopback(answers.ami_host):
        answers = _one(answers, "ami_port", "The port of AMI, on this machine")
    if not (ground.manager.enabled or "enable_ami" in given) and ground.manager.there:
        answers = replace(
            answers, enable_ami=click.confirm("AMI is off. Switch it on?", answers.enable_ami, err=True)
        )
    if "trunks" not in given:
        answers = _trunks(answers, ground)
    if "country" not in given:
        answers = _one(replace(answers, country=answers.country or ground.country), "country", _COUNTRY)
    if "destinations" not in given:
        usual = answers.destinations or ((answers.country,) if answers.country else ())
        answers = _some(replace(answers, destinations=usual), "destinations", _DESTINATIONS)
    if "contexts" not in given:
        answers = _some(answers, "contexts", "Contexts that answered calls may be sent to (a,b; - for none)")
    return answers


_COUNTRY = "The country of numbers without + (two letters; - for none)"
_DESTINATIONS = "The public numbers that may be called: countries, prefixes (DE,+43; * for all; - for none)"


def _prompt(text: str, default: str) -> str:
    said = str(click.prompt(text, default=default or "-", err=True)).strip()
    return "" if said == "-" else said


def _one(answers: Answers, name: str, text: str) -> Answers:
    """Asks for one field of the answers, until nothing is wrong with it."""
    while True:
        said: Any = _prompt(text, str(getattr(answers, name)))
        if name == "ami_port":
            said = int(said) if said.isdecimal() and len(said) <= len("65535") else 0
        told = replace(answers, **{name: said})
        if _fine(answers, told):
            return told


def _some(answers: Answers, name: str, text: str) -> Answers:
    """The same for a field that holds several."""
    while True:
        said = _prompt(text, ",".join(getattr(answers, name)))
        several: Any = tuple(each.strip() for each in said.split(",") if each.strip())
        told = replace(answers, **{name: several})
        if _fine(answers, told):
            return told


def _trunks(answers: Answers, ground: Ground) -> Answers:
    """Asks for the ways out one by one; what is there already stays."""
    for name, channel in answers.trunks:
        click.echo(f"The trunk {name} is there: {channel}", err=True)
    if ground.endpoints:
        click.echo(f"PJSIP's endpoints: {', '.join(ground.endpoints[:20])}", err=True)
    while True:
        name = _prompt("The name of a trunk, a way out (- for no more)", "" if answers.trunks else "main")
        if not name:
            return answers
        channel = _prompt(f"The channel of {name}, in which {{digits}} is the number", _usual_channel(ground))
        told = replace(answers, trunks=(*answers.trunks, (name, channel)))
        if _fine(answers, told):
            answers = told


def _usual_channel(ground: Ground) -> str:
    if ground.freepbx:
        return "Local/{digits}@from-internal"
    return f"PJSIP/{{digits}}@{ground.endpoints[0] if ground.endpoints else 'mytrunk'}"


def _fine(before: Answers, after: Answers) -> bool:
    """Whether the new answer brought no mistake; tells of those that it brought."""
    old = set(mistakes(before))
    new = [each for each in mistakes(after) if each not in old]
    for each in new:
        click.echo(each.what, err=True)
    return not new
