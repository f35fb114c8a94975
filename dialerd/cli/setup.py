"""dialerctl setup: makes dialerd and the Asterisk of this machine known to each other (docs/setup.md)."""

import os
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import click

from dialerd.cli import exits, setup_showing, setup_steps, show
from dialerd.cli.session import Session, shared
from dialerd.cli.setup_looking import Machine, look, mistakes
from dialerd.cli.setup_writing import Change, Unfit, Writer
from dialerd.core.errors import Mistake
from dialerd.core.numbers import countries
from dialerd.setup import answers as told
from dialerd.setup import ground, plan
from dialerd.setup.answers import Answers
from dialerd.setup.ground import Ground
from dialerd.setup.marks import Found
from dialerd.setup.plan import File


@dataclass(frozen=True, slots=True)
class Mode:
    """How setup goes about it."""

    json: bool
    yes: bool
    dry_run: bool
    force: bool
    apply: bool
    asks: bool


@click.command("setup")
@click.option("--spool", metavar="PATH", help="Asterisk's astspooldir.")
@click.option("--asterisk-user", "user", metavar="USER", help="The user that Asterisk runs as.")
@click.option("--ami-host", metavar="HOST", help="The address of AMI; default 127.0.0.1.")
@click.option("--ami-port", type=int, metavar="PORT", help="The port of AMI; default 5038.")
@click.option("--ami-user", metavar="NAME", help="The user of AMI that is made; default dialerd.")
@click.option(
    "--enable-ami", is_flag=True, default=None, help="Switch AMI on, from the file that is written."
)
@click.option(
    "--trunk",
    "trunks",
    multiple=True,
    metavar="NAME=CHANNEL",
    help="A way out, such as main=PJSIP/{digits}@me; may be repeated.",
)
@click.option("--country", metavar="DE", help="The country of numbers without +, such as DE.")
@click.option(
    "--destinations",
    multiple=True,
    metavar="DE,AT",
    help="Public numbers that may be called; default the country; may be repeated.",
)
@click.option(
    "--context",
    "contexts",
    multiple=True,
    metavar="NAME",
    help="A context that answered calls may be sent to; may be repeated.",
)
@click.option("--yes", is_flag=True, help="Ask nothing, and write.")
@click.option("--dry-run", is_flag=True, help="Only show what would be written.")
@click.option(
    "--force", is_flag=True, help="Replace files that a person wrote or changed, too; NAME.bak keeps them."
)
@click.option("--apply", is_flag=True, help="Then run the commands that make it count.")
@click.option(
    "--config-dir", default="/etc/dialerd", metavar="PATH", show_default=True, help="dialerd's configuration."
)
@click.option(
    "--asterisk-etc",
    default="/etc/asterisk",
    metavar="PATH",
    show_default=True,
    help="Asterisk's configuration.",
)
@click.option(
    "--root",
    default="/",
    metavar="PATH",
    show_default=True,
    help="Set up the machine that lies in this folder.",
)
@shared
def setup_(session: Session, config_dir: str, asterisk_etc: str, root: str, **given: Any) -> None:
    """Write a first configuration, and the files for Asterisk. They open its spool and its AMI to dialerd.

    What is not given is asked on a terminal. All is shown before it is written; a file that a person wrote or
    changed is left alone (exit code 1).
    """
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    words = {name: given.pop(name) for name in ("yes", "dry_run", "force", "apply")}
    mode = Mode(json=session.json, asks=terminal and not (words["yes"] or session.json), **words)
    machine = Machine(Path(os.path.realpath(root)))
    etc = os.path.realpath(asterisk_etc) if machine.live else os.path.normpath(asterisk_etc)
    config = os.path.normpath(config_dir)
    if places := _places(machine, etc, config):
        _refuse(mode, places)
    if mode.asks and (not_root := _not_root(machine, mode)):
        _refuse(mode, not_root)
    found = look(machine, etc, config)
    answers, wrong = _answers(given, found)
    if mode.asks and not wrong:
        from dialerd.cli import setup_asking

        answers = setup_asking.ask(answers, {name for name, each in given.items() if each}, found)
    _Setup(mode, machine, found, answers, config).run(wrong)


class _Setup:
    """One run: from what was answered to what is written."""

    def __init__(self, mode: Mode, machine: Machine, found: Ground, answers: Answers, config: str) -> None:
        self.mode, self.machine, self.ground, self.answers = mode, machine, found, answers
        self.config = config
        self.writer = Writer(machine)
        self.secret, self.secret_path = "", f"{config}/{plan.SECRET}"

    def run(self, wrong: list[Mistake]) -> NoReturn:
        """Ends the process."""
        if unread := self._unread():
            _refuse(self.mode, unread)
        wrong += [*told.mistakes(self.answers), *plan.mistakes(self.answers, self.ground)]
        wrong += mistakes(self.machine, self.ground.etc, self.answers)
        wrong += self._may()
        changes, unfit = self._changes()
        if wrong or unfit:
            _refuse(self.mode, [*wrong, *unfit])
        if not self.mode.json:
            setup_showing.changes(changes, self.mode.force)
        ours = [each for each in changes if self.mode.force or not each.left_alone]
        doing = [each for each in ours if each.needed]
        left = [each.file.path for each in changes if each not in ours]
        try:
            written, kept = self._write(ours) if self._agreed(doing) else ([], {})
        except (OSError, Unfit) as error:
            click.echo(f"dialerctl: Not all was written: {error}. Mend that, and run setup again.", err=True)
            sys.exit(exits.NOT_DONE)
        refused = len(doing) > len(written) and not self.mode.dry_run
        steps = plan.steps(self.answers, self.ground, self.machine.binary())
        todo = list(ground.todo(self.answers, self.ground))
        outcome = setup_showing.Outcome(changes, bool(doing), written, kept, left, todo, steps)
        apply = self._applies(written, refused)
        if self.mode.json:
            outcome.print_json()
        else:
            declined = refused and self.mode.asks and not self.mode.yes
            outcome.tell(steps_too=bool(doing) and not apply, declined=declined)
        failed = apply and not setup_steps.run(steps, quiet=self.mode.json)
        sys.exit(exits.NOT_DONE if left or refused or failed else exits.DONE)

    def _may(self) -> list[Mistake]:
        """Nothing, where we may do it."""
        found = _not_root(self.machine, self.mode)
        if self.mode.apply and not self.machine.live:
            found.append(
                Mistake("--apply", "The commands would run here, and not in --root: leave one of both out.")
            )
        return found

    def _unread(self) -> list[Mistake]:
        """That it takes root to look, too, where it does; what else is wrong can't be known then."""
        if not self.machine.unread:
            return []
        files = ", ".join(dict.fromkeys(self.machine.unread))
        if os.geteuid() == 0:
            return [Mistake("", f"Not even root can read {files}: mend that first.")]
        return [Mistake("", f"It takes root to read {files}: sudo dialerctl setup.")]

    def _changes(self) -> tuple[list[Change], list[Mistake]]:
        """What is to be done about each file, and what is in the way."""
        unfit: list[Mistake] = []
        account = self.machine.account(self.answers.user)
        if account is None:
            return [], unfit
        try:
            own = self._secret(unfit)
        except Unfit as error:
            return [], [Mistake("", str(error))]
        group = self.machine.group(account.gid)
        changes = [own] if own is not None else []
        for each in plan.files(self.answers, self.ground, group, self.secret, self.config):
            try:
                change = self.writer.change(each, self.secret)
            except Unfit as error:
                unfit.append(Mistake("", str(error)))
            else:
                changes += [change] if change is not None else []
        return changes, unfit

    def _secret(self, wrong: list[Mistake]) -> Change | None:
        """AMI's secret: the one that is there, else a new one."""
        named = told.secret_file(self.machine.text(f"{self.config}/{plan.CONFIG}") or "")
        path = named or self.secret_path
        there = self.writer.read(path)
        self.secret = (there or "").removesuffix("\n").removesuffix("\r")
        if there is not None and (not self.secret or not self.secret.isprintable()):
            wrong.append(
                Mistake(
                    "", f"{path} must hold AMI's secret and nothing else, one line: remove it, or mend it."
                )
            )
        if there is None and named:
            wrong.append(
                Mistake("", f"dialerd.toml names {named} as ami.secret_file, and it is not there: make it.")
            )
        if there is not None or named:
            return None
        self.secret = secrets.token_urlsafe(32)
        return Change(File(path, f"{self.secret}\n", mode=0o600, hidden=True), Found.NOTHING, "")

    def _agreed(self, doing: Sequence[Change]) -> bool:
        """Whether it is to be written."""
        if not doing or self.mode.dry_run:
            return False
        return self.mode.yes or (self.mode.asks and click.confirm("Write this?", err=True))

    def _write(self, ours: Sequence[Change]) -> tuple[list[str], dict[str, str]]:
        """Writes the list of our files, and those that are not as they should be. Returns their paths, and
        under which names others were kept. Raises OSError."""
        self.writer.make_folder(self.config, plan.OWN_USER, 0o750)
        with self.writer.alone(self.config):
            return self._write_alone(ours)

    def _write_alone(self, ours: Sequence[Change]) -> tuple[list[str], dict[str, str]]:
        doing = [each for each in ours if each.needed]
        for each in doing:  # all before the first: of another setup's files and ours none may be mixed
            self.writer.unchanged(each, self.secret)
        self.writer.make_folder(f"{self.config}/credentials", "root", 0o700)
        outside = [each.file.path for each in ours if not each.file.path.startswith(f"{self.config}/")]
        listed = f"{self.config}/{plan.LIST}"
        self.writer.write(File(listed, plan.listed(self.writer.read(listed) or "", outside)))
        written, kept = [], {}
        for each in doing:
            self.writer.unchanged(each, self.secret)
            if each.left_alone:
                kept[each.file.path] = self.writer.keep(each.file.path)
            self.writer.write(each.file)
            written.append(each.file.path)
        return written, kept

    def _applies(self, written: list[str], refused: bool) -> bool:
        """Whether the commands are to be run."""
        if not self.machine.live or refused or self.mode.dry_run:
            return False
        return self.mode.apply or (
            self.mode.asks
            and bool(written)
            and click.confirm("Run the commands that make it count?", err=True)
        )


def _not_root(machine: Machine, mode: Mode) -> list[Mistake]:
    """That we may not write, where we may not."""
    if not machine.live or os.geteuid() == 0 or mode.dry_run:
        return []
    return [Mistake("", "It takes root to write these files: sudo dialerctl setup, or look with --dry-run.")]


def _places(machine: Machine, *paths: str) -> list[Mistake]:
    """What is wrong with the folders that were named."""
    if not machine.root.is_dir():
        return [Mistake("--root", f"There is no folder {machine.root}.")]
    names = ("--asterisk-etc", "--config-dir")
    wrong = [
        name
        for name, path in zip(names, paths, strict=True)
        if not path.startswith("/") or not path.isprintable()
    ]
    return [Mistake(name, "Write the whole path, from / on.") for name in wrong]


def _answers(given: dict[str, Any], found: Ground) -> tuple[Answers, list[Mistake]]:
    """What was given as options, else what is known; and what is wrong with the options themselves."""
    pairs = [each.partition("=") for each in given["trunks"]]
    how = "write NAME=CHANNEL, such as main=PJSIP/{digits}@me"
    wrong = [Mistake("--trunk", f"{name!r} is no trunk: {how}.") for name, is_pair, _ in pairs if not is_pair]
    trunks = tuple((name.strip(), channel.strip()) for name, is_pair, channel in pairs if is_pair)
    split = tuple(word.strip() for each in given["destinations"] for word in each.split(",") if word.strip())
    named = {**given, "trunks": trunks, "destinations": split}
    values = found.defaults() | {name: each for name, each in named.items() if each not in (None, (), "")}
    answers = Answers(**values)
    if not answers.destinations and given["country"] in countries():
        answers = replace(answers, destinations=(answers.country,))
    return answers, wrong


def _refuse(mode: Mode, wrong: Sequence[Mistake]) -> NoReturn:
    """Says every mistake, and ends."""
    wrong = list(dict.fromkeys(wrong))
    if mode.json:
        show.print_json({"mistakes": [{"where": each.where, "what": each.what} for each in wrong]})
    for each in wrong:
        click.echo(f"dialerctl: {each}", err=True)
    sys.exit(exits.USAGE)
