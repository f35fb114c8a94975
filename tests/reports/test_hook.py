import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from dialerd.core.reporting import Hook
from dialerd.reports.hook import ENVIRONMENT, OUTPUT_BYTES, Hooks
from dialerd.reports.ports import Report, Undelivered
from dialerd.reports.sinks import HookSink
from tests.reports.world import ReportDesk
from tests.waiting import until

PROJECT = Path(__file__).resolve().parents[2]


def script(folder: Path, text: str) -> str:
    """A command that runs this in a shell."""
    path = folder / "hook"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


def run(folder: Path, text: str, seconds: float = 20.0) -> tuple[int | None, str]:
    ran = Hooks().run([script(folder, text), "one two"], b'{"id": "evt_1"}', seconds)
    return ran.code, ran.output


def a_report() -> Report:
    desk = ReportDesk()
    job, attempts = desk.job(desk.add().id)
    return Report(desk.log[0], job, attempts)


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_hook_reads_the_report_and_has_the_arguments_that_were_configured(tmp_path: Path) -> None:
    assert run(tmp_path, 'cat; echo; echo "$1"') == (0, '{"id": "evt_1"}\none two')


def test_a_hook_that_reads_nothing_is_no_trouble(tmp_path: Path) -> None:
    ran = Hooks().run([script(tmp_path, "exit 0")], b"x" * 1_000_000, 20.0)

    assert ran.code == 0


def test_a_hook_has_a_bare_environment_and_the_root_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/secret")

    _, output = run(tmp_path, "/usr/bin/env; /bin/pwd")

    given = set(output.splitlines())
    assert given <= {f"{name}={value}" for name, value in ENVIRONMENT.items()} | {
        "PWD=/",
        "OLDPWD=/",
        "SHLVL=0",
        "SHLVL=1",
        "_=/usr/bin/env",
        "LC_CTYPE=C.UTF-8",
        "/",
    }


def test_a_hook_inherits_no_open_files(tmp_path: Path) -> None:
    with (tmp_path / "secret").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        _, output = run(tmp_path, "ls /proc/self/fd")

    assert set(output.split()) <= {"0", "1", "2", "3"}  # 3 is the folder that ls reads


def test_a_hook_has_a_session_of_its_own_and_can_gain_no_rights(tmp_path: Path) -> None:
    _, output = run(tmp_path, "cut -d' ' -f6 /proc/$$/stat; echo $$; grep NoNewPrivs /proc/self/status")

    session, pid, privileges = output.splitlines()
    assert session == pid
    assert privileges.split()[1] == "1"


def test_a_hook_has_no_capabilities(tmp_path: Path) -> None:
    _, output = run(tmp_path, "grep ^Cap /proc/self/status")

    sets = {line.split(":")[0]: int(line.split()[1], 16) for line in output.splitlines()}
    assert {sets[name] for name in ("CapInh", "CapPrm", "CapEff", "CapAmb")} == {0}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hand capabilities on")
def test_the_capabilities_that_dialerd_was_given_do_not_reach_a_hook() -> None:
    program = (
        "from dialerd.reports.hook import Hooks\n"
        "print(open('/proc/self/status').read().split('CapAmb:')[1].split()[0])\n"
        "print(Hooks().run(['/bin/grep', '^Cap[IPEA]', '/proc/self/status'], b'', 20.0).output)\n"
    )
    caps = ("--inh-caps=-all,+chown", "--ambient-caps=-all,+chown", "--bounding-set=-all,+chown")
    command = ["setpriv", "--securebits=+noroot", *caps, "--"]  # root with no more rights than any user

    done = subprocess.run(
        [*command, sys.executable, "-c", program],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    ours, *hook = done.stdout.splitlines()
    assert int(ours, 16) == 1  # CAP_CHOWN is number 0
    assert {int(line.split()[1], 16) for line in hook} == {0}
    assert len(hook) == 4


def test_a_hook_that_never_ends_is_killed_with_its_children(tmp_path: Path) -> None:
    pids = tmp_path / "pids"
    code, _ = run(tmp_path, f"sleep 1000 & echo $! > {pids}; echo $$ >> {pids}; sleep 1000", seconds=1.0)

    left = [int(pid) for pid in pids.read_text().split()]
    until(lambda: not any(map(alive, left)))
    assert code is None
    assert len(left) == 2


def test_children_that_a_hook_leaves_are_killed_and_not_waited_for(tmp_path: Path) -> None:
    begun = time.monotonic()
    code, output = run(tmp_path, "sleep 1000 & echo $!; exit 0")

    until(lambda: not alive(int(output)))
    assert code == 0
    assert time.monotonic() - begun < 15


def test_of_what_a_hook_prints_the_end_is_kept(tmp_path: Path) -> None:
    _, output = run(tmp_path, "head -c 3000000 /dev/zero | tr '\\0' x; echo end")

    assert len(output) <= OUTPUT_BYTES
    assert output.endswith("end")


def test_a_hook_that_prints_for_ever_is_killed(tmp_path: Path) -> None:
    code, output = run(tmp_path, "yes", seconds=1.0)

    assert code is None
    assert len(output) <= OUTPUT_BYTES


def test_a_hook_that_ended_well_is_delivered(tmp_path: Path) -> None:
    told = tmp_path / "told"

    HookSink(Hook("tell", (script(tmp_path, f"cat > {told}"),))).deliver(a_report())

    assert '"type":"call.completed"' in told.read_text()


def test_a_hook_that_fails_is_told_with_its_last_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sink = HookSink(Hook("tell", (script(tmp_path, "echo first; echo no such customer >&2; exit 3"),)))
    with pytest.raises(Undelivered, match=r"exit code 3: no such customer\.$") as caught:
        sink.deliver(a_report())

    assert not caught.value.wide
    assert "hook_failed" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["kill -9 $$", "sleep 1000"])
def test_a_hook_that_was_ended_is_not_delivered(tmp_path: Path, text: str) -> None:
    with pytest.raises(Undelivered, match=r"signal 9|within 1 seconds"):
        HookSink(Hook("tell", (script(tmp_path, text),), timeout=1)).deliver(a_report())


def test_a_hook_that_is_not_there_is_a_failure_of_the_sink(tmp_path: Path) -> None:
    with pytest.raises(Undelivered, match="can't be run: No such file") as caught:
        HookSink(Hook("tell", (str(tmp_path / "missing"),))).deliver(a_report())

    assert caught.value.wide


def test_hooks_end_when_dialerd_stops(tmp_path: Path) -> None:
    hooks, done, pid = Hooks(), threading.Event(), tmp_path / "pid"
    command = [script(tmp_path, f"echo $$ > {pid}; sleep 1000")]

    def work() -> None:
        hooks.run(command, b"", 100.0)
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    until(lambda: pid.exists() and pid.read_text().strip())
    hooks.stop()
    thread.join(10)

    assert done.is_set()
    with pytest.raises(OSError, match="stopping"):
        hooks.run(command, b"", 1.0)
