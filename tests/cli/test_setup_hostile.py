"""dialerctl setup against an Asterisk user who would misuse root, against umasks, and after a kill."""

import fcntl
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialerd.cli.setup_looking import Machine
from dialerd.cli.setup_writing import Change, Unfit, Writer
from dialerd.setup.marks import Found
from dialerd.setup.plan import File
from tests.asterisk import PROJECT
from tests.cli.setting_up import SECRET, TOML, USUAL, setup
from tests.setup.machines import STOCK, Layout
from tests.users import ROOT
from tests.waiting import until

KILLED = """
import os, signal, sys
from dialerd.cli import main

left = int(sys.argv[1])

def watch(event, arguments):
    global left
    if event in ("os.rename", "os.mkdir", "os.remove", "os.chown", "os.chmod"):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(watch)
main(sys.argv[2:])
"""


@pytest.fixture
def stock(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "root", STOCK)


@pytest.fixture
def umask() -> Iterator[None]:
    """Puts it back after the test."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def test_a_pipe_among_asterisks_files_does_not_stop_it(stock: Layout) -> None:
    os.mkfifo(stock.root / "etc/asterisk/manager.d/a.conf")

    result = setup(stock, *USUAL)

    assert result.exit_code == 0


def test_a_link_to_a_device_is_not_opened(stock: Layout) -> None:
    (stock.root / "etc/asterisk/asterisk.conf").unlink()
    (stock.root / "etc/asterisk/asterisk.conf").symlink_to("/dev/zero")

    assert Machine(stock.root).text("/etc/asterisk/asterisk.conf") is None


@pytest.mark.skipif(not ROOT, reason="only root looks whose folders these are")
@pytest.mark.parametrize("spool", ["/", "/etc"])
def test_a_folder_of_the_systems_is_no_spool(stock: Layout, spool: str) -> None:
    told = f"[directories]\nastspooldir = {spool}\n[options]\nrunuser = root\n"
    stock.write("etc/asterisk/asterisk.conf", told)

    result = setup(stock, *USUAL)

    assert result.exit_code == 2
    assert "/outgoing is no folder of root's" in result.stderr
    assert not (stock.root / TOML).exists()


@pytest.mark.skipif(not ROOT, reason="only root looks whose folders these are")
def test_a_folder_that_is_anothers_is_not_given_to_dialerd(stock: Layout) -> None:
    (stock.root / "var/spool/asterisk/dialerd").mkdir()

    result = setup(stock, *USUAL)

    assert result.exit_code == 2
    assert "/var/spool/asterisk/dialerd is there, and is not dialerd's" in result.stderr


def test_a_port_that_is_none_is_not_taken_over(stock: Layout) -> None:
    stock.write("etc/asterisk/manager.conf", f"[general]\nenabled = yes\nport = {'1' * 5000}\n")

    assert setup(stock, *USUAL).exit_code == 0


def test_a_user_of_too_many_digits_is_a_mistake(stock: Layout) -> None:
    assert setup(stock, *USUAL, "--asterisk-user", "9" * 5000).exit_code == 2
    assert Machine(Path("/"))._of_system("9" * 5000) is None


@pytest.mark.parametrize("mask", [0o000, 0o077])
@pytest.mark.usefixtures("umask")
def test_whatever_the_umask_all_that_is_made_has_its_mode(stock: Layout, mask: int) -> None:
    os.umask(mask)

    setup(stock, *USUAL, "--config-dir", "/opt/a/b/dialerd")

    made = ("a", "a/b", "a/b/dialerd", "a/b/dialerd/credentials")
    modes = [(stock.root / "opt" / name).stat().st_mode & 0o7777 for name in made]
    assert modes == [0o755, 0o755, 0o750, 0o700]


def test_a_link_in_an_image_leads_nowhere_out_of_it(stock: Layout, tmp_path: Path) -> None:
    (tmp_path / "ours" / "d").mkdir(parents=True)
    (stock.root / "opt").symlink_to(tmp_path / "ours")

    result = setup(stock, *USUAL, "--config-dir", "/opt/d/dialerd")

    assert result.exit_code == 1
    assert "Not all was written" in result.stderr
    assert list((tmp_path / "ours" / "d").iterdir()) == []


def test_a_file_that_was_changed_after_it_was_shown_is_left_alone(stock: Layout) -> None:
    writer, file = Writer(Machine(stock.root)), File("/etc/x.conf", "new\n")
    seen = Change(file, Found.NOTHING, "")
    stock.write("etc/x.conf", "a person's\n")

    with pytest.raises(Unfit, match="changed meanwhile"):
        writer.unchanged(seen, "secret")


def test_a_setup_that_was_killed_anywhere_is_completed_by_the_next(tmp_path: Path) -> None:
    whole = Layout(tmp_path / "whole", STOCK)
    setup(whole, *USUAL)
    wanted = modes_of(whole)
    kills = 0
    for moment in range(1, 100, 4):
        machine = Layout(tmp_path / str(moment), STOCK)
        words = ["setup", "--root", str(machine.root), *USUAL]
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, str(moment), *words],
            env={"PYTHONPATH": str(PROJECT)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        if ended.returncode != -signal.SIGKILL:
            break
        kills += 1
        again = setup(machine, *USUAL)
        assert again.exit_code == 0, again.stderr
        found = modes_of(machine)
        assert {name: told for name, told in found.items() if not Path(name).name.startswith(".")} == wanted
        assert not [name for name in found if "ami_secret." in name]

    assert ended.returncode == 0
    assert kills > 4


def modes_of(machine: Layout) -> dict[str, tuple[int, int, int]]:
    """What setup made: modes and owners by path."""
    told = {}
    for path in (machine.root / "etc").rglob("*"):
        about = path.lstat()
        told[str(path.relative_to(machine.root))] = (about.st_mode, about.st_uid, about.st_gid)
    return told


def test_what_a_killed_setup_left_of_the_secret_goes(stock: Layout) -> None:
    setup(stock, *USUAL)
    left = (stock.root / SECRET).with_name(".ami_secret.0123456789abcdef")
    left.write_text("half")
    (stock.root / SECRET).unlink()

    setup(stock, *USUAL)

    assert not left.exists()
    assert (stock.root / SECRET).exists()


def test_what_another_setup_writes_meanwhile_is_not_mixed_with_ours(stock: Layout) -> None:
    setup(stock, *USUAL)
    before, manager = (stock.root / TOML).read_text(), stock.root / "etc/asterisk/manager.d/dialerd.conf"
    folder = os.open(stock.root / "etc/dialerd", os.O_RDONLY)
    fcntl.flock(folder, fcntl.LOCK_EX)
    words = ["setup", "--root", str(stock.root), *USUAL, "--ami-user", "other"]
    with subprocess.Popen(
        [sys.executable, "-c", "import sys; from dialerd.cli import main; main(sys.argv[1:])", *words],
        env={"PYTHONPATH": str(PROJECT)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    ) as second:
        waiting = re.compile(rf"-> FLOCK .* {second.pid} ")
        until(lambda: waiting.search(Path("/proc/locks").read_text()))
        manager.write_text(f"{manager.read_text()}; the first one's\n")
        os.close(folder)

    assert second.returncode == 1
    assert (stock.root / TOML).read_text() == before
