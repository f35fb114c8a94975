"""TAB in real shells, with the files of the package, before a real daemon that knows jobs and batches."""

import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from dialerd.cli.completion import SHELLS, script
from scripts.lib.manuals.__main__ import write
from tests.daemon import Daemon
from tests.users import ASTERISK_GID, ASTERISK_UID, give, share
from tests.waiting import until

FUNCTIONS = "/usr/share/bash-completion/bash_completion"
TO = "+4930123456"


@dataclass(frozen=True, slots=True)
class Shells:
    """A home with the package's files in it, dialerctl in the path, and a daemon with two jobs."""

    home: Path
    daemon: Daemon
    waiting: str
    ended: str

    def environment(self) -> dict[str, str]:
        path = f"{self.home / 'bin'}:{os.environ['PATH']}"
        own = {
            "HOME": str(self.home),
            "PATH": path,
            "TERM": "dumb",
            "XDG_DATA_HOME": str(self.home / "share"),
        }
        return {**self.daemon.ctl_environment(), **own, "PYTHONWARNINGS": "error"}

    def run(self, *words: str, **more: str) -> str:
        """What a shell prints."""
        done = subprocess.run(
            words, env={**self.environment(), **more}, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.stderr == ""
        return done.stdout

    def bash(self, line: str, **more: str) -> list[str]:
        """What bash offers at the end of a line."""
        words = line.split(" ")
        listed = " ".join(f"'{word}'" for word in words)
        load = f". {FUNCTIONS};" if Path(FUNCTIONS).exists() else ""
        code = (
            f"{load} . {self.home}/completions/bash/dialerctl;"
            f" COMP_WORDS=({listed}); COMP_CWORD={len(words) - 1};"
            " $(complete -p dialerctl | sed 's/.*-F \\([^ ]*\\).*/\\1/') dialerctl;"
            ' printf "%s\\n" "${COMPREPLY[@]}"'
        )
        return self.run(needed("bash"), "--norc", "-c", code, **more).split()

    def fish(self, line: str, **more: str) -> list[str]:
        """What fish offers, without the words that it says of each."""
        code = f"source {self.home}/completions/fish/dialerctl.fish; complete -C '{line}'"
        shown = self.run(needed("fish"), "--no-config", "-c", code, **more)
        return [each.partition("\t")[0] for each in shown.splitlines()]


def needed(shell: str) -> str:
    """Where a shell is; the test is skipped where it is not installed."""
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not installed")
    return found


def a_home(folder: Path) -> Path:
    """A home with dialerctl, as it is installed."""
    write(folder)
    (folder / "bin").mkdir()
    program = folder / "bin" / "dialerctl"
    run = "from dialerd.cli import main; main(prog_name='dialerctl')"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{run}" "$@"\n')
    program.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def shells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shells]:
    spool = give(Path(tempfile.mkdtemp(prefix="spool-", dir="/tmp")), ASTERISK_UID, ASTERISK_GID)
    for name in ("outgoing", "outgoing_done"):
        (spool / name).mkdir()
    share([spool, spool / "outgoing", spool / "outgoing_done"])
    daemon = Daemon(spool)
    try:
        daemon.start()
        waiting, ended = (
            daemon.submit(to=TO, play="hello-world", not_before="in 1h", batch=batch)["id"]
            for batch in ("spring", "summer")
        )
        daemon.request("POST", f"/v1/jobs/{ended}/cancel")
        yield Shells(a_home(tmp_path_factory.mktemp("home")), daemon, waiting, ended)
    finally:
        daemon.remove()
        shutil.rmtree(spool)


OFFERS = [
    ("dialerctl ba", {"batch", "backup"}),
    ("dialerctl batch re", {"report", "resume"}),
    ("dialerctl submit --f", {"--format"}),
    ("dialerctl call --on-doubt ", {"hold", "retry", "drop"}),
    ("dialerctl list --state h", {"held"}),
    ("dialerctl batch show sp", {"spring"}),
    ("dialerctl pause ", {"all", "sim", "spring", "summer"}),
    ("dialerctl call --trunk ", {"sim"}),
    ("dialerctl dnc add --list ", {"opt-out"}),
]


@pytest.mark.parametrize(("line", "offered"), OFFERS, ids=[line for line, _ in OFFERS])
@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_shell_offers_what_may_stand_there(
    shells: Shells, shell: str, line: str, offered: set[str]
) -> None:
    assert set(getattr(shells, shell)(line)) == offered


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_a_misspelt_command_breaks_nothing(shells: Shells, shell: str) -> None:
    assert getattr(shells, shell)("dialerctl cancle drai") == ["drain"]


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_commands_offer_the_jobs_that_they_are_for(shells: Shells, shell: str) -> None:
    offers = {
        verb: set(getattr(shells, shell)(f"dialerctl {verb} ")) for verb in ("cancel", "show", "release")
    }

    assert offers == {"cancel": {shells.waiting}, "show": {shells.waiting, shells.ended}, "release": set()}


def test_a_job_is_not_offered_twice(shells: Shells) -> None:
    assert shells.bash(f"dialerctl show {shells.waiting} ") == [shells.ended]


def test_fish_says_what_each_job_is(shells: Shells) -> None:
    code = f"source {shells.home}/completions/fish/dialerctl.fish; complete -C 'dialerctl cancel '"

    assert shells.run(needed("fish"), "--no-config", "-c", code) == f"{shells.waiting}\tcall, queued, {TO}\n"


@pytest.mark.parametrize("place", ["dialerctl --socket {} cancel ", "dialerctl cancel --socket {} "])
def test_the_daemon_that_the_line_names_is_asked(shells: Shells, place: str) -> None:
    line = place.format(shells.daemon.socket)

    assert shells.bash(line, DIALERD_SOCKET="/nonexistent/socket") == [shells.waiting]


@pytest.mark.parametrize("shell", ["bash", "fish"])
def test_nothing_is_offered_and_nothing_said_where_no_daemon_answers(shells: Shells, shell: str) -> None:
    assert getattr(shells, shell)("dialerctl cancel ", DIALERD_SOCKET="/nonexistent/socket") == []


def test_a_daemon_that_hangs_holds_nobody_up(shells: Shells) -> None:
    os.kill(shells.daemon.pid, signal.SIGSTOP)
    try:
        offered = shells.bash("dialerctl cancel ")
    finally:
        os.kill(shells.daemon.pid, signal.SIGCONT)

    assert offered == []


def test_files_are_left_to_the_shell(shells: Shells) -> None:
    protocol = {"_DIALERCTL_COMPLETE": "bash_complete", "COMP_CWORD": "2"}

    assert shells.run("dialerctl", COMP_WORDS="dialerctl submit ", **protocol) == "file,\n"


class Typing:
    """zsh as a person has it: on a terminal, where keys are pressed."""

    def __init__(self, shells: Shells, environment: Mapping[str, str]) -> None:
        self._pid, self._terminal = pty.fork()
        if self._pid == 0:
            os.execve(needed("zsh"), ["zsh", "-f", "-i"], dict(environment))
        self.seen = ""
        self.type(
            "PS1='READY> '; unsetopt beep list_ambiguous; zstyle ':completion:*' menu no; LISTMAX=1000\n"
        )
        self.type(f"fpath=({shells.home}/completions/zsh $fpath)\n")
        self.type("autoload -U compinit; compinit -D -u; echo LOA''DED\n")
        until(lambda: "LOADED\r\n" in self.read())
        self.seen = ""

    def type(self, keys: str) -> None:
        os.write(self._terminal, keys.encode())

    def read(self) -> str:
        """All that was shown so far, without what moves the cursor."""
        while select.select([self._terminal], [], [], 0)[0]:
            self.seen += os.read(self._terminal, 4096).decode(errors="replace")
        return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]|\x1b[=>]|\x07", "", self.seen)

    def end(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._terminal)


@pytest.fixture
def zsh(shells: Shells) -> Iterator[Typing]:
    needed("zsh")
    typing = Typing(shells, shells.environment())
    yield typing
    typing.end()


@pytest.mark.parametrize(
    ("begun", "whole"),
    [("dialerctl dra", "dialerctl drain "), ("dialerctl batch show spr", "dialerctl batch show spring ")],
)
def test_zsh_ends_a_word_that_can_be_only_one(zsh: Typing, begun: str, whole: str) -> None:
    zsh.type(f"{begun}\t")

    assert until(lambda: whole in zsh.read())


def test_zsh_lists_jobs_with_what_they_are(shells: Shells, zsh: Typing) -> None:
    about = re.compile(rf"{shells.waiting} +-- call, queued, {re.escape(TO)}")

    zsh.type("dialerctl show \t")

    assert until(lambda: about.search(zsh.read()))


@pytest.mark.parametrize("shell", SHELLS)
def test_the_package_has_what_the_command_prints(shells: Shells, shell: str) -> None:
    (packaged,) = (shells.home / "completions" / shell).glob("*dialerctl*")

    assert (
        shells.run("dialerctl", "completion", shell).strip()
        == packaged.read_text().strip()
        == script(shell).strip()
    )


def test_the_options_of_the_daemon_are_completed(shells: Shells) -> None:
    folder = shells.home / "completions"
    code = f". {folder}/bash/dialerd; complete -p dialerd"
    offered = shells.run(
        needed("fish"), "--no-config", "-c", f"source {folder}/fish/dialerd.fish; complete -C 'dialerd --ch'"
    )

    assert "--config --check" in shells.run(needed("bash"), "--norc", "-c", code)
    assert offered.startswith("--check\t")


@pytest.mark.parametrize("name", ["_dialerctl", "_dialerd"])
def test_zsh_understands_the_files(shells: Shells, name: str) -> None:
    path = shells.home / "completions" / "zsh" / name

    assert path.read_text().startswith("#compdef dialer")
    assert shells.run(needed("zsh"), "-f", "-n", str(path)) == ""
