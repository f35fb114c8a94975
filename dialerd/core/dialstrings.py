"""Dial strings: what a trunk's channel template makes of a number, and which extensions a trunk takes."""

import re
from collections.abc import Iterable, Iterator

from dialerd.core.errors import Refusal, Rejected
from dialerd.core.model import Call
from dialerd.core.numbers import is_emergency, national, parse_public
from dialerd.core.policy import Rules, Trunk
from dialerd.core.texts import nearest

PUBLIC_PLACEHOLDERS = ("e164", "digits", "national")
EXTENSION_PLACEHOLDERS = ("extension", "digits")
PLACEHOLDERS = ("e164", "digits", "national", "extension")
CHANNEL = r"[A-Za-z][A-Za-z0-9_]{0,39}/[A-Za-z0-9_.@:/+*#~=;%!\-]{1,400}"
"""A literal dial string, Technology/Destination: no `&` and no `,`, which would make another list of Dial's
arguments."""

_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
EXTENSION = re.compile(r"[0-9*#]{1,40}")
_EXTENSION_AT_MOST = 6
"""Digits that somebody who wrote no public number may have meant as an extension."""

_CLASSES = {"X": "[0-9]", "Z": "[1-9]", "N": "[2-9]", ".": "[0-9*#]+", "!": "[0-9*#]*"}
_LETTER = re.compile(r"\[([0-9*#\-]+)\]|([0-9*#])|([XZNxzn])|([.!])\Z")


def extension_pattern(texts: Iterable[str]) -> re.Pattern[str]:
    """One pattern (for fullmatch) of the extensions that Asterisk's letters in `texts` stand for, such as
    1XXX or 2Z.

    X is 0-9, Z is 1-9, N is 2-9, [13-5] is one of these, and at the end `.` is one or more, `!` is any number
    of digits.
    Raises ValueError with a sentence for anything else.
    """
    return re.compile("|".join(f"(?:{_one_pattern(text)})" for text in texts))


def _one_pattern(text: str) -> str:
    if text.startswith("_"):
        raise ValueError(f"Leave out the underscore of {text!r}: extensions are always patterns here.")
    made, place = [], 0
    while place < len(text):
        letter = _LETTER.match(text, place)
        if letter is None or (letter[1] and not _is_class(letter[1])):
            raise ValueError(
                f"{text!r} is no pattern of extensions: use 0-9 * # X Z N [1-5], and at the end . or !"
            )
        made.append(_regex_of(letter))
        place = letter.end()
    if not made:
        raise ValueError("A pattern of extensions is empty: write one like 1XXX.")
    return "".join(made)


def _is_class(inside: str) -> bool:
    return re.fullmatch(r"(?:[0-9]-[0-9]|[0-9*#])+", inside) is not None and all(
        low <= high for low, high in re.findall("([0-9])-([0-9])", inside)
    )


def _regex_of(letter: re.Match[str]) -> str:
    if letter[1]:
        return f"[{letter[1]}]"
    return re.escape(letter[2]) if letter[2] else _CLASSES[letter[0].upper()]


def template_mistakes(template: str, takes_extensions: bool) -> Iterator[str]:
    """Every mistake in a trunk's channel template, as sentences."""
    names = _PLACEHOLDER.findall(template)
    for name in names:
        if name not in PLACEHOLDERS:
            hint = nearest(name, PLACEHOLDERS)
            yield f"There is no placeholder {{{name}}}: use {_braced(PLACEHOLDERS)}.{hint}"
    if not re.fullmatch(CHANNEL, _PLACEHOLDER.sub("0", template)):
        yield "A channel is Technology/Destination without blanks, & or commas, such as PJSIP/{digits}@me."
    if not names:
        yield f"Without a placeholder every call would go to the same phone: use {_braced(PLACEHOLDERS)}."
    elif "extension" in names and set(names) & {"e164", "national"}:
        yield "No number fills {extension} and {e164} or {national}: make two trunks, or use {digits}."
    elif "extension" in names and not takes_extensions:
        yield 'It wants an {extension}, but takes none: say which, such as extensions = "1XXX".'
    elif takes_extensions and not set(names) & set(EXTENSION_PLACEHOLDERS):
        yield f"It takes extensions, but has no place for one: use {_braced(EXTENSION_PLACEHOLDERS)}."


def _braced(names: Iterable[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in names)


def trunk_for(name: str | None, rules: Rules) -> Trunk:
    """The trunk of this name, else the default one, else the only one. Raises ValueError with a sentence."""
    if not rules.trunks:
        raise ValueError(
            "No trunk is configured: the administrator adds one as [trunks.NAME] with its channel template."
        )
    wanted = name or rules.default_trunk
    if wanted is None and len(rules.trunks) == 1:
        return next(iter(rules.trunks.values()))
    if wanted is None:
        raise ValueError(
            "No route leads there, and there are several trunks: say which, one of"
            f" {', '.join(rules.trunks)}. The administrator can choose one: default_trunk under [calls]."
        )
    if wanted not in rules.trunks:
        raise ValueError(
            f"There is no trunk {wanted!r}, only {', '.join(rules.trunks)}.{nearest(wanted, rules.trunks)}"
        )
    return rules.trunks[wanted]


def number_for(text: str, trunk: Trunk, default_country: str | None) -> str:
    """What a submitter wrote as the trunk dials it: an extension that the trunk takes, or E.164.

    Raises ValueError with a sentence for what is neither, or what the trunk's template has no place for.
    """
    names = _PLACEHOLDER.findall(trunk.channel)
    if trunk.extensions is not None and EXTENSION.fullmatch(text) and trunk.extensions.fullmatch(text):
        if is_emergency(text, default_country):
            raise Refusal(
                "emergency", f"{text} is an emergency number: dialerd never calls those, on no trunk."
            )
        return text
    try:
        number = parse_public(text, default_country)
    except Refusal:
        raise
    except ValueError as error:
        if trunk.extensions is not None and EXTENSION.fullmatch(text):
            raise ValueError(
                f"This is no extension that the trunk {trunk.name!r} takes; and {error}"
            ) from None
        if EXTENSION.fullmatch(text) and len(text) <= _EXTENSION_AT_MOST:
            how = 'a trunk takes those with extensions = "1XX" or the like under [trunks.NAME].'
            raise ValueError(f"{error} If it is an extension of the PBX: {how}") from None
        raise
    if not set(names) & set(PUBLIC_PLACEHOLDERS):
        raise ValueError(
            f"The trunk {trunk.name!r} takes no public numbers: its channel {trunk.channel} has none of"
            f" {_braced(PUBLIC_PLACEHOLDERS)}."
        )
    return number


def channel_of(number: str, trunk: Trunk) -> str:
    """The dial string for one number (E.164 or an extension) on this trunk."""
    channel = trunk.channel
    if not number.startswith("+"):
        return channel.replace("{extension}", number).replace("{digits}", number)
    channel = channel.replace("{e164}", number).replace("{digits}", number[1:])
    return channel.replace("{national}", national(number)) if "{national}" in channel else channel


def channel_for(call: Call, way: str, rules: Rules) -> tuple[str, tuple[tuple[str, str], ...]]:
    """The dial string on the trunk named `way`, and the variables for the shipped ring context where several
    phones ring at once.

    Asterisk takes no list of channels in a call file; Dial(${DIALERD_RING},${DIALERD_RING_TIME}) does it.
    Raises Rejected where the trunk is no longer configured as it was when the job was accepted.
    """
    channels = call.channel.split("&") if call.channel is not None else _channels_of_numbers(call, way, rules)
    if len(channels) == 1:
        return channels[0], ()
    ring = (("DIALERD_RING", "&".join(channels)), ("DIALERD_RING_TIME", str(call.wait_time)))
    return f"Local/s@{rules.ring_context}", ring


def _channels_of_numbers(call: Call, way: str, rules: Rules) -> list[str]:
    try:
        trunk = trunk_for(way, rules)
    except ValueError as error:
        raise Rejected(str(error)) from None
    channels = [channel_of(number, trunk) for number in call.to]
    if any("{" in channel for channel in channels):
        raise Rejected(f"The channel of trunk {trunk.name!r} has no place for this kind of number any more.")
    return channels
