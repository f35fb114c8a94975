"""What a running Asterisk says of itself, asked once over a session of its own (for `dialerctl check`).

Seen on Asterisk 22 and 16: ListCommands lists the actions that this user may send, each with its classes;
Ping needs no class and tells Asterisk's clock; ModuleCheck and GetConfig need the class system (GetConfig
also with `config`), Getvar needs call or reporting.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from dialerd.pbx.ami import AmiSettings, Session
from dialerd.pbx.connection import ANSWER_S
from dialerd.pbx.wire import Answer, LineLost

MODULES = ("pbx_spool", "cdr_manager")
_DENIED = "Permission denied"
_CLASSES = re.compile(r"\(Priv: ([^)]*)\)\s*$")


@dataclass(frozen=True, slots=True)
class AmiFacts:
    """What was learned. `unreachable` and `refused` are sentences; where one of them is set, nothing else is.

    `ahead_s`: how far Asterisk's clock is ahead of ours. `zone` is its zone as "+0100". `actions`: what this
    user may send. `classes`: the write classes that he surely has; `read` those that his lines in
    manager.conf name. `modules`: whether each is loaded. `spool` is astspooldir. What could not be asked is
    None or empty.
    """

    unreachable: str = ""
    refused: str = ""
    ahead_s: float | None = None
    zone: str | None = None
    version: str = ""
    max_calls: int = 0
    max_load: float = 0.0
    actions: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    read: frozenset[str] | None = None
    modules: Mapping[str, bool] = field(default_factory=dict)
    spool: str | None = None


def ask(settings: AmiSettings, answer_s: float = ANSWER_S) -> AmiFacts:
    """Logs in, asks, and logs off. Never raises; takes `answer_s` at most for each answer, and ends at the
    first that does not come."""
    session = Session(lambda name, message: False, lambda headers: None, answer_s)
    try:
        session.connect(settings.host, settings.port)
        login = session.send_action(
            Action="Login", Username=settings.username, Secret=settings.secret.reveal(), Events="off"
        )
        if login.refusal is not None:
            return AmiFacts(refused=f"Asterisk's manager refused the login {settings}: {login.refusal}.")
        return _facts(session, settings.username)
    except ConnectionRefusedError:
        return AmiFacts(unreachable=f"Nothing listens at {settings.host}:{settings.port}.")
    except (LineLost, OSError, ValueError) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or str(error) or "it is silent"
        return AmiFacts(
            unreachable=f"No line to Asterisk's manager at {settings.host}:{settings.port}: {words}."
        )
    finally:
        session.close()


def _facts(session: Session, username: str) -> AmiFacts:
    core = session.send_action(Action="CoreSettings")
    commands = session.send_action(Action="ListCommands")
    rights = _config(session, "manager.conf", username)
    found = {each: _loaded(session, each) for each in MODULES}
    return AmiFacts(
        ahead_s=_ahead(session),
        zone=_zone(session),
        version=core.get_header("AsteriskVersion") or "",
        max_calls=int(_number(core.get_header("CoreMaxCalls"))),
        max_load=_number(core.get_header("CoreMaxLoadAvg")),
        actions=frozenset(name for name, text in commands.pairs if _CLASSES.search(text)),
        classes=_classes(commands),
        read=_words(rights["read"]) if "read" in rights else None,
        modules={name: loaded for name, loaded in found.items() if loaded is not None},
        spool=_config(session, "asterisk.conf", "directories").get("astspooldir"),
    )


def _ahead(session: Session) -> float | None:
    before = time.time()
    told = _number(session.send_action(Action="Ping").get_header("Timestamp"))
    return told - (before + time.time()) / 2 if told else None


def _zone(session: Session) -> str | None:
    value = session.send_action(Action="Getvar", Variable="STRFTIME(,,%z)").get_header("Value") or ""
    return value if re.fullmatch(r"[+-]\d{4}", value) else None


def _loaded(session: Session, module: str) -> bool | None:
    refusal = session.send_action(Action="ModuleCheck", Module=module).refusal
    return None if refusal and _DENIED in refusal else refusal is None


def _config(session: Session, file: str, category: str) -> dict[str, str]:
    """The lines of one section, without secrets; empty where we may not see it, or it is not there."""
    answer = session.send_action(Action="GetConfig", Filename=file, Category=category)
    lines = (text.partition("=") for name, text in answer.pairs if name.startswith("Line-"))
    return {name: text for name, _, text in lines if name != "secret"}


def _classes(commands: Answer) -> frozenset[str]:
    """The classes of all actions that need just one: who may send such an action has it."""
    found: set[str] = set()
    for _, text in commands.pairs:
        if match := _CLASSES.search(text):
            needed = _words(match[1]) - {"all"}
            found |= needed if len(needed) == 1 else set()
    return frozenset(found - {"<none>"})


def _words(text: str) -> frozenset[str]:
    return frozenset(word.strip() for word in text.split(",") if word.strip())


def _number(text: str | None) -> float:
    try:
        return float(text or 0)
    except ValueError:
        return 0.0
