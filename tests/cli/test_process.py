"""dialerctl as a process: what it imports, how it follows and how it ends."""

import grp
import os
import pty
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dialerd.core.model import Disposition
from tests.intake.serving import JOB, Served
from tests.users import as_dialerd

RUN = [sys.executable, "-c", "from dialerd.cli import main; main()"]


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


def environment(served: Served) -> dict[str, str]:
    return {**os.environ, "DIALERD_SOCKET": str(served.path)}


def test_status_imports_nothing_slow(served: Served) -> None:
    code = (
        "import sys\nfrom dialerd.cli import main\n"
        "try:\n    main(['status'])\nexcept SystemExit as end:\n    assert not end.code\n"
        "slow = {'rich', 'pydantic', 'aiohttp', 'asyncio', 'http', 'email', 'ssl', 'dialerd.core'}\n"
        "print(sorted(slow & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment(served),
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert done.stderr == "[]\n"
    assert done.stdout.startswith("dialerd 0, up")


def test_events_are_followed_until_interrupted(served: Served) -> None:
    with subprocess.Popen(
        [*RUN, "events", "--follow", "--after", "0"],
        env=environment(served),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        served.ask("POST", "/v1/jobs", JOB)
        first = process.stdout.readline()
        job_id = served.ask("POST", "/v1/jobs", JOB).json["id"]
        second = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        try:
            code = process.wait(60)
        finally:
            process.kill()
    assert "accepted" in first
    assert job_id in second
    assert code == 130


def test_watch_without_ids_shows_what_is_under_way_and_what_happens(served: Served) -> None:
    held = served.ask("POST", "/v1/jobs", JOB).json["id"]
    served.ask("POST", f"/v1/jobs/{held}/hold")
    with subprocess.Popen(
        [*RUN, "watch"], env=environment(served), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        served.ask("POST", f"/v1/jobs/{held}/release")
        second = process.stdout.readline()
        process.terminate()
        process.wait(60)
    assert f"job {held}" in first
    assert "queued" in second


def on_terminal(served: Served, *words: str) -> str:
    """What a terminal shows of a command."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [*RUN, *words], env=environment(served), stdout=follower, stderr=follower
    ) as process:
        os.close(follower)
        shown = b""
        try:
            while data := os.read(leader, 65536):
                shown += data
        except OSError:  # Linux's way to say that the other end is closed
            pass
        process.wait(60)
    os.close(leader)
    return shown.decode()


def test_a_terminal_gets_a_drawn_table(served: Served) -> None:
    job_id = served.ask("POST", "/v1/jobs", JOB).json["id"]
    served.desk.end(job_id, Disposition.BUSY)
    shown = on_terminal(served, "list")
    assert job_id in shown
    assert "─" in shown


def test_a_terminal_gets_a_progress_bar(served: Served, tmp_path: Path) -> None:
    (tmp_path / "x.ndjson").write_text('{"to": "+493012345678", "play": "hello-world"}\n' * 1200)
    shown = on_terminal(served, "submit", str(tmp_path / "x.ndjson"))
    assert "Submitting" in shown
    assert "1200 accepted." in shown


def test_no_permission_names_the_group_and_exits_77() -> None:
    with tempfile.TemporaryDirectory(prefix="dlr-") as name:
        Path(name).chmod(0o755)
        with Served(Path(name) / "s", mode=0o000) as served:
            done = subprocess.run(
                [*as_dialerd(capability=""), *RUN, "status"],
                env=environment(served),
                capture_output=True,
                text=True,
                timeout=30,
                check=False,
            )
            group = grp.getgrgid(served.path.stat().st_gid).gr_name
    assert done.returncode == 77
    assert f"open to the group {group}" in done.stderr
