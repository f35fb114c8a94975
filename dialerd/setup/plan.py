"""Which files setup writes, whose they are, and which commands make them count."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from dialerd.core.errors import Mistake
from dialerd.setup import texts
from dialerd.setup.answers import SPOOL, Answers, toml
from dialerd.setup.ground import Ground
from dialerd.setup.marks import signed

OWN_USER = "dialerd"
MANAGER = "manager.dialerd.conf"
DIALPLAN = "extensions.dialerd.conf"
TMPFILES = "/etc/tmpfiles.d/dialerd-asterisk.conf"
DROP_IN = "/etc/systemd/system/dialerd.service.d/asterisk.conf"
CONFIG, SECRET, LIST = "dialerd.toml", "credentials/ami_secret", "setup.files"


@dataclass(frozen=True, slots=True)
class File:
    """A file as it should be. `text` None: there should be none. `hidden` holds a secret."""

    path: str
    text: str | None
    owner: str = "root"
    group: str = "root"
    mode: int = 0o644
    hidden: bool = False


def files(answers: Answers, ground: Ground, group: str, secret: str, config: str) -> list[File]:
    """All files that carry a mark. `group` is that of Asterisk's user, `config` dialerd's folder in /etc."""
    on = answers.enable_ami and not ground.manager.enabled
    ami = texts.manager(replace(answers, enable_ami=on), secret, ground.manager.general)
    elsewhere = signed(texts.drop_in(answers)) if answers.spool != SPOOL else None
    return [
        File(f"{config}/{CONFIG}", signed(toml(answers)), group=OWN_USER, mode=0o640),
        File(ground.manager.path, signed(ami, ";"), group=group, mode=0o640, hidden=True),
        File(ground.dialplan.path, signed(texts.RING, ";"), group=group, mode=0o640),
        File(TMPFILES, signed(texts.tmpfiles(answers, group))),
        File(DROP_IN, elsewhere),
    ]


def mistakes(answers: Answers, ground: Ground) -> Iterator[Mistake]:
    """What is against these answers on this machine, as far as Asterisk's files tell."""
    if answers.ami_user in ground.manager.users:
        what = (
            f"manager.conf, or a file that it includes, has a user [{answers.ami_user}] already: take that"
            " out, or choose another name."
        )
        yield Mistake("--ami-user", what)


def steps(answers: Answers, ground: Ground, binary: str = "asterisk") -> list[list[str]]:
    """The commands that make the files count, in order. `binary` is Asterisk's."""
    dialplan = [[binary, "-rx", "dialplan reload"]] if ground.dialplan.included else []
    return [
        ["systemd-tmpfiles", "--create", TMPFILES],
        [binary, "-rx", "manager reload"],
        *dialplan,
        ["systemctl", "daemon-reload"],
        ["systemctl", "restart", "dialerd.socket", "dialerd.service"],
        ["dialerctl", "check"],
    ]


def listed(before: str, ours: list[str]) -> str:
    """setup.files: the paths outside dialerd's own folder that setup wrote, one a line, for the purge."""
    return "".join(
        f"{path}\n"
        for path in dict.fromkeys([*before.splitlines(), *ours])
        if PurePosixPath(path).is_absolute()
    )
