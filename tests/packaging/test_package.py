"""The Debian package, as far as it can be looked at without building one; scripts/host-test installs it."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parent.parent.parent
DEBIAN = PROJECT / "packaging" / "debian"
SCRIPTS = [
    DEBIAN / name
    for name in ("dialerd.postinst", "dialerd.prerm", "dialerd.postrm", "make-libraries", "unit-for")
]


def pins() -> dict[str, str]:
    """The versions of packaging/constraints.txt, by the library's name as pip compares it."""
    lines = (PROJECT / "packaging" / "constraints.txt").read_text().splitlines()
    pairs = (line.split("==") for line in lines if not line.startswith("#"))
    return {normal(name): version for name, version in pairs}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def wanted() -> list[Requirement]:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    lines = project["dependencies"] + [each for name in extras if name != "test" for each in extras[name]]
    return [Requirement(line) for line in lines]


def purge(root: Path, action: str = "purge") -> None:
    """Runs the postrm script as dpkg does with --root, but for what debhelper adds."""
    env = {**os.environ, "DPKG_ROOT": str(root)}
    subprocess.run(["sh", DEBIAN / "dialerd.postrm", action], env=env, check=True, capture_output=True)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine's files, with what the package, setup and the administrator left there."""
    spool = "/var/spool/asterisk"
    files = {
        "etc/dialerd/dialerd.toml": "",
        "etc/dialerd/credentials/ami_secret": "secret",
        "etc/dialerd/setup.files": "\n".join(
            [
                "/etc/asterisk/manager.d/dialerd.conf",
                "/etc/tmpfiles.d/dialerd-asterisk.conf",
                "/etc/systemd/system/dialerd.service.d/asterisk.conf",
                "/etc/../home/alice/letter",
                "/home/alice/letter",
            ]
        )
        + "\n",
        "etc/asterisk/manager.d/dialerd.conf": "",
        "etc/asterisk/manager.d/other.conf": "",
        "etc/systemd/system/dialerd.service.d/asterisk.conf": "",
        "etc/tmpfiles.d/dialerd-asterisk.conf": f"d {spool}/outgoing :0750 :asterisk :asterisk -\n"
        f"d {spool}/dialerd 0700 dialerd dialerd -\n",
        "var/lib/dialerd/dialerd.sqlite3": "",
        "var/spool/dialerd/drop/job.json": "",
        "var/spool/asterisk/outgoing/other.call": "",
        "var/spool/asterisk/dialerd/doubt/one.call": "",
        "home/alice/letter": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def files_of(root: Path) -> set[str]:
    return {str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()}


def test_a_purge_leaves_only_what_others_made(root: Path) -> None:
    purge(root)

    left = {
        "etc/asterisk/manager.d/other.conf",
        "var/spool/asterisk/outgoing/other.call",
        "home/alice/letter",
    }
    assert files_of(root) == left
    assert not (root / "etc/systemd/system/dialerd.service.d").exists()


def test_a_purge_that_is_repeated_does_no_harm(root: Path) -> None:
    purge(root)
    before = files_of(root)

    purge(root)

    assert files_of(root) == before


@pytest.mark.parametrize("action", ["remove", "upgrade", "failed-upgrade", "abort-install"])
def test_whatever_is_no_purge_takes_nothing(root: Path, action: str) -> None:
    before = files_of(root)

    purge(root, action)

    assert files_of(root) == before


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_are_plain_sh(script: Path) -> None:
    done = subprocess.run(["sh", "-n", script], capture_output=True, text=True, check=False)

    assert done.stderr == ""
    assert script.read_text().startswith("#!/bin/sh\n")


@pytest.mark.parametrize("requirement", wanted(), ids=lambda each: each.name)
def test_each_library_has_a_written_version_in_its_range(requirement: Requirement) -> None:
    found = pins().get(normal(requirement.name))

    assert found is not None, "scripts/build-deb --newest writes packaging/constraints.txt anew"
    assert requirement.specifier.contains(found)


def test_the_package_takes_what_is_there() -> None:
    rules = (DEBIAN / "rules").read_text()

    named = re.findall(r"(?<![\w/)])(?:systemd|scripts|etc)/[\w./-]+", rules)

    assert len(named) > 4
    assert [name for name in named if not (PROJECT / name).exists()] == []


def test_no_complaint_is_overridden_without_a_reason() -> None:
    groups = (DEBIAN / "dialerd.lintian-overrides").read_text().strip().split("\n\n")

    assert [group for group in groups if not group.startswith("#")] == []


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--what"], "usage: build-deb"),
        (["--version", "v1"], "v1 can't be a version"),
        (["--version", "1/../2"], "1/../2 can't be a version"),
        (["--suite"], "which suite?"),
    ],
)
def test_a_wrong_option_builds_nothing(options: list[str], said: str) -> None:
    done = subprocess.run(
        [PROJECT / "scripts" / "build-deb", *options], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert said in done.stderr


def unit_for(version: str) -> list[str]:
    """The lines of dialerd.service for this version of systemd."""
    with (PROJECT / "systemd" / "dialerd.service").open() as unit:
        command = ["sh", str(DEBIAN / "unit-for"), version]
        done = subprocess.run(command, stdin=unit, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


NEWEST = (PROJECT / "systemd" / "dialerd.service").read_text().splitlines()


@pytest.mark.parametrize("version", ["260", "262.1", "300~rc1"])
def test_a_new_systemd_gets_the_unit_as_it_is(version: str) -> None:
    assert unit_for(version) == NEWEST


@pytest.mark.parametrize("version", ["254", "257", "257.9"])
def test_what_an_older_systemd_does_not_know_is_left_out(version: str) -> None:
    assert set(NEWEST) - set(unit_for(version)) == {"RefreshOnReload=credentials"}


@pytest.mark.parametrize("version", ["252", "252.39"])
def test_an_old_systemd_can_wait_for_dialerd_and_reload_it(version: str) -> None:
    found = unit_for(version)

    assert {"Type=notify", "ExecReload=/bin/kill -HUP $MAINPID"} <= set(found)
    assert [
        line for line in found if line.startswith(("Type=notify-reload", "RestartSteps", "RestartMax"))
    ] == []


def test_no_version_makes_no_unit() -> None:
    command = ["sh", str(DEBIAN / "unit-for"), ""]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "is no version of systemd" in done.stderr


def test_bookworms_debhelper_finds_the_units() -> None:
    """It enables only those in lib/systemd/system; later ones look into usr/lib too."""
    rules = (DEBIAN / "rules").read_text()

    assert "$(if $(filter 252%,$(systemd)),lib,usr/lib)/systemd/system" in rules
