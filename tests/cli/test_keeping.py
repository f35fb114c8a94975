"""dialerctl backup --offline, restore, fsck and release --restored: what they say, and their exit codes."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from dialerd.cli import main
from dialerd.core.states import State
from dialerd.keeping.holding import RESTORED
from tests.cli.running import accepted, ctl
from tests.intake.serving import JOB, Served
from tests.keeping.making import Made, state_in


@pytest.fixture
def made(tmp_path: Path) -> Made:
    return state_in(tmp_path / "state")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with Served(tmp_path / "s") as running:
        yield running


@pytest.fixture
def backup(made: Made) -> Path:
    path = made.folder.parent / "b.tar.gz"
    assert run("backup", "--offline", str(path), "--state-dir", str(made.folder)).exit_code == 0
    return path


def run(*words: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(main, list(words), input=stdin)


def configured(folder: Path, state: Path) -> str:
    """A configuration of which a secret can't be read by the one who restores."""
    path = folder / "dialerd.toml"
    path.write_text(f'state_dir = "{state}"\n[ami]\nsecret_file = "/nonexistent/secret"\n')
    return str(path)


def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir(mode=0o700)
    return tmp_path / "target"


def test_an_offline_backup_says_what_is_in_it(made: Made, tmp_path: Path) -> None:
    config = configured(tmp_path, made.folder)
    result = run("backup", "--offline", str(tmp_path / "b.tar.gz"), "--config", config)

    assert result.exit_code == 0
    assert "2 queued" in result.stdout
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o777 == 0o600


def test_json_tells_what_was_backed_up_and_restored(made: Made, tmp_path: Path) -> None:
    words = ["--state-dir", str(made.folder), "--json"]
    first = json.loads(run("backup", "--offline", str(tmp_path / "b.tar.gz"), *words).stdout)
    words = ["--state-dir", str(target(tmp_path)), "--json"]
    second = json.loads(run("restore", str(tmp_path / "b.tar.gz"), *words).stdout)

    assert (first["stopped"], first["jobs"]["queued"]) == (True, 2)
    assert second["backup"]["taken"] == first["taken"]
    assert (second["held"], second["aside"], second["notes"]) == (7, None, [])


def test_a_restore_says_how_many_jobs_wait_for_whom(backup: Path, tmp_path: Path) -> None:
    result = run("restore", str(backup), "--state-dir", str(target(tmp_path)))

    assert result.exit_code == 0
    assert "7 jobs were not over and are held" in result.stdout
    assert "dialerctl release --restored" in result.stdout


def test_a_restore_reads_standard_input(backup: Path, tmp_path: Path) -> None:
    result = run("restore", "-", "--state-dir", str(target(tmp_path)), stdin=backup.read_bytes())

    assert result.exit_code == 0


@pytest.mark.parametrize(
    ("words", "code", "word"),
    [
        ((), 65, "--replace moves it aside"),
        (("--config", "/nonexistent.toml"), 2, "can't be read"),
        (("--state-dir", "/nonexistent"), 1, "no such folder"),
    ],
)
def test_why_nothing_was_restored_is_said(
    backup: Path, made: Made, tmp_path: Path, words: tuple[str, ...], code: int, word: str
) -> None:
    words = words or ("--state-dir", str(made.folder))
    result = run("restore", str(backup), *words)

    assert result.exit_code == code
    assert word in result.stderr


def test_a_backup_that_is_cut_short_is_refused(backup: Path, tmp_path: Path) -> None:
    backup.write_bytes(backup.read_bytes()[:-500])
    result = run("restore", str(backup), "--state-dir", str(target(tmp_path)), "--json")

    assert result.exit_code == 65
    assert "not whole" in json.loads(result.stdout)["error"]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run("restore", str(tmp_path / "none"), "--state-dir", str(target(tmp_path)))

    assert result.exit_code == 2
    assert "No such file" in result.stderr


def test_fsck_says_that_all_is_well(made: Made) -> None:
    result = run("fsck", "--state-dir", str(made.folder))

    assert (result.exit_code, result.stdout) == (0, f"{made.folder}: all is well.\n")


def test_fsck_tells_what_it_finds_and_what_repair_would_do(made: Made) -> None:
    (made.folder / "documents" / made.document).unlink()
    (made.folder / "numbers.json").write_text("{")
    words = ("fsck", "--state-dir", str(made.folder))
    result, told = run(*words, "--repair"), run(*words, "--json")
    lines: list[dict[str, Any]] = [json.loads(line) for line in told.stdout.splitlines()]

    assert (result.exit_code, told.exit_code) == (1, 1)
    assert "2 found, 0 mended, 2 left" in result.stdout
    assert [line["harmless"] for line in lines] == [False, True]
    assert f"dialerctl cancel {made.fax.id}" in lines[0]["advice"]


def held_by_a_restore(served: Served) -> str:
    job_id = accepted(served)
    served.desk.put(job_id, State.HELD, f"{RESTORED} 2026-11-21T09:00:00.000Z: it may have been done since")
    return job_id


def test_all_that_a_restore_held_is_released_at_once_and_nothing_else(served: Served) -> None:
    restored, other = [held_by_a_restore(served) for _ in range(3)], accepted(served, State.HELD)
    result = ctl(served, "release", "--restored")

    assert (result.exit_code, result.stdout) == (0, "3 released\n")
    assert {served.desk.job(each)[0].state for each in restored} == {State.QUEUED}
    assert served.desk.job(other)[0].state is State.HELD


def test_only_one_batch_may_be_released(served: Served) -> None:
    kept = held_by_a_restore(served)
    job = served.ask("POST", "/v1/jobs", {**JOB, "batch": "spring"}).json["id"]
    served.desk.put(job, State.HELD, f"{RESTORED} yesterday")

    result = ctl(served, "release", "--restored", "--batch", "spring", "--json")

    assert json.loads(result.stdout) == {"released": 1, "in_doubt": 0}
    assert served.desk.job(kept)[0].state is State.HELD


@pytest.mark.parametrize("words", [(), ("x", "--restored"), ("x", "--batch", "b")])
def test_release_wants_ids_or_the_restored_ones(served: Served, words: tuple[str, ...]) -> None:
    assert ctl(served, "release", *words).exit_code == 2
