"""Single texts: which characters they may hold, how many bytes of a call file's line they fill, which name
was meant."""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from difflib import get_close_matches

LINE_BYTES = 1022
"""The most bytes of one line of a call file; Asterisk drops a longer one and places the call without it."""

NAME_BYTES = 79
"""Asterisk cuts caller id names and accounts after this many bytes."""

_LONGEST_NUMBER = 100
"""Characters of a caller id's number as it is written, with blanks and marks."""

_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff]")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9 .,'()_-]+")
_ACCOUNT = re.compile(r"\w[\w .@:/+\-]*")
_SOUND = re.compile(
    r"(?:/var/lib/asterisk/sounds/|/usr/share/asterisk/sounds/)?[A-Za-z0-9_][A-Za-z0-9_.\-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.\-]*)*"
)
VARIABLE = r"_{0,2}[A-Za-z][A-Za-z0-9_]{0,40}"
FUNCTION = r"[A-Za-z][A-Za-z0-9_]{0,40}\([A-Za-z0-9_,.:/@\-]{0,80}\)"
_SETTABLE = re.compile(f"(?:{VARIABLE}|{FUNCTION})")

STEERING: Mapping[str, str] = {
    "MONITOR_": "the command that runs after a recording, and the file",
    "MIXMONITOR_": "the command that runs after a recording, and the file",
    "TOUCH_MONITOR": "recordings and their files",
    "TOUCH_MIXMONITOR": "recordings and their files",
    "DYNAMIC_": "which features the digits of a call start",
    "FORWARD_CONTEXT": "where a forwarded call goes",
    "TRANSFER_CONTEXT": "where a transferred call goes",
    "GOTO_ON_BLINDXFR": "where a transferred call goes",
    "BLINDTRANSFER": "where a transferred call goes",
    "ATTENDEDTRANSFER": "where a transferred call goes",
    "EXITCONTEXT": "where a call goes that leaves a queue or a voice box",
    "PARKING": "where a parked call goes",
    "MACRO_": "where a macro sends the call",
    "GOSUB_": "where a subroutine sends the call",
    "LOCAL_": "the variables of a subroutine",
    "CONNECTED_LINE_": "the dialplan that runs when the other side changes",
    "REDIRECTING_": "the dialplan that runs when a call is redirected",
    "LIMIT_": "the files that a call with a time limit plays",
    "BRIDGE_": "the files and limits of two calls that are joined",
    "OUTBOUND_GROUP": "the group of the calls that follow",
    "PJSIP_": "the SIP headers of the calls that follow",
    "SIPADDHEADER": "the SIP headers of the calls that follow",
    "SIPREFER": "the SIP headers of a transfer",
    "SIPTRANSFER": "the SIP headers of a transfer",
    "SIPFROMDOMAIN": "the SIP headers of the calls that follow",
    "SIP_URI_OPTIONS": "the SIP addresses of the calls that follow",
    "VXML_URL": "the SIP addresses of the calls that follow",
}
"""How the names of channel variables begin that Asterisk itself obeys, and what they rule. They would get
around the lists of what is allowed: MONITOR_EXEC is a shell command that Monitor() and Queue() run as
Asterisk's user. The names are those in the modules of Asterisk 16 and 22. AGIEXITONHANGUP and AGISIGHUP (when
a script of the administrator's ends) and DIALEDPEERNUMBER (which Asterisk writes) are left to the users."""

_SETS_BY_NAME = frozenset({"GLOBAL", "LOCAL", "MASTER_CHANNEL"})
"""Functions that set the variable that they are given the name of."""


def nearest(word: str, known: Iterable[str]) -> str:
    """A closing sentence that names the likely right name, or nothing where none is near."""
    found = get_close_matches(word[:100], list(known), n=1)
    return f' Did you mean "{found[0]}"?' if found else ""


def without_controls(text: str) -> str:
    """The text itself. Raises ValueError for control characters (C0, C1, DEL, NUL) and halves of
    characters."""
    if found := _CONTROL.search(text):
        code, place = ord(found[0]), found.start() + 1
        if code in (10, 13):
            what = "a line break"
        elif code == 0xFEFF:
            what = "a byte order mark (U+FEFF)"
        elif 0xD800 <= code <= 0xDFFF:
            what = f"half a character (U+{code:04X})"
        else:
            what = f"a control character (U+{code:04X})"
        raise ValueError(f"It holds {what} as character {place}: take it out.")
    return text


def bounded(text: str, most: int) -> str:
    """The text itself, of 1 to `most` bytes in UTF-8, without control characters and without blanks around
    it."""
    without_controls(text)
    if not text:
        raise ValueError("It is empty: give it a value or leave the field out.")
    if text != text.strip():
        raise ValueError("It begins or ends with a blank, which would be lost: take it away.")
    if (size := len(text.encode())) > most:
        raise ValueError(f"It has {size} bytes: {most} are the most.")
    return text


def line_text(key: str, text: str) -> str:
    """Free text that fits one line `key` + text of a call file. Raises ValueError where Asterisk would read
    another text."""
    without_controls(text)
    if text != text.strip():
        raise ValueError("It begins or ends with a blank, which Asterisk would drop: take it away.")
    if " #" in key + text:
        raise ValueError(
            "It holds # after a blank (or at the start), where Asterisk begins a comment and drops the rest:"
            " write it another way, such as No.1 for #1."
        )
    size = len(key) + len(text.encode()) + text.count(";")
    if size > LINE_BYTES:
        raise ValueError(
            f"It is {size - LINE_BYTES} bytes too long: {LINE_BYTES - len(key)} are the most here."
        )
    return text


def caller_name(text: str) -> str:
    """A caller id's name. Raises ValueError for what is not letters, digits (of any script), blanks and . , '
    ( ) _ -"""
    bounded(text, NAME_BYTES)
    if not _PLAIN_NAME.fullmatch(text):
        for letter in text:
            if letter not in " .,'()_-" and unicodedata.category(letter)[0] not in "LMN":
                raise ValueError(
                    f"A caller id's name has letters, digits, blanks and . , ' ( ) _ - only:"
                    f" take {letter!r} out."
                )
    return text


def caller_number(text: str) -> str:
    """A caller id's number without the blanks and marks that people write. Raises ValueError for anything but
    digits."""
    number = re.sub(r"[ ().\-/]", "", without_controls(text[:_LONGEST_NUMBER]))
    if len(text) > _LONGEST_NUMBER or not re.fullmatch(r"\+?[0-9]{1,40}", number):
        raise ValueError("A caller id's number is 1 to 40 digits, with + before them or without.")
    return number


def account(text: str) -> str:
    """An account code. Raises ValueError for marks that Asterisk's own records would trip over."""
    bounded(text, NAME_BYTES)
    if not _ACCOUNT.fullmatch(text):
        raise ValueError(
            "An account has letters, digits, blanks and . @ : / + _ - and begins with a letter or a digit."
        )
    return text


def sounds(text: str) -> str:
    """One sound, or several with & between. Raises ValueError for what is no name under Asterisk's sounds
    folder.

    Other paths and addresses are refused: a submitter must not play other people's recordings, nor make
    Asterisk fetch.
    """
    line_text("Data: ", text)
    for name in text.split("&"):
        if not _SOUND.fullmatch(name):
            raise ValueError(
                f"{name[:80]!r} is not the name of a sound: write it as below Asterisk's sounds folder,"
                " without the ending, such as hello-world or custom/greeting (several: with & between)."
            )
    return text


def variable_name(text: str) -> str:
    """The name of a channel variable, or a function such as CDR(userfield). Raises ValueError for anything
    else."""
    if not _SETTABLE.fullmatch(text):
        raise ValueError(
            "This is no variable's name: a letter, then letters, digits and _"
            " (41 at most, up to two _ before them), or a function such as CDR(userfield)."
        )
    function, bracket, inside = text.partition("(")
    if bracket and function.upper() not in _SETS_BY_NAME:
        return text
    name = (inside or function).lstrip("_").upper()
    if name.startswith("DIALERD_"):
        raise ValueError("Names that begin with DIALERD_ are dialerd's own: choose another.")
    for start, ruled in STEERING.items():
        if name.startswith(start):
            raise ValueError(
                f"Names that begin with {start} steer Asterisk itself ({ruled}): choose another."
            )
    return text
