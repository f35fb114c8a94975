"""The files for Asterisk and systemd."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from dialerd.setup import conf, texts
from dialerd.setup.answers import Answers
from tests.users import ROOT

SNIPPETS = Path(__file__).parents[2] / "etc/asterisk"


def code(text: str) -> str:
    """From the first section on."""
    return text[text.index("\n[") + 1 :] if not text.startswith("[") else text


def test_the_managers_file_is_the_snippet_for_those_who_set_up_by_hand() -> None:
    by_hand = code((SNIPPETS / "manager.dialerd.conf").read_text())
    says = by_hand.splitlines(keepends=True)[1]

    made = texts.manager(Answers(), "CHANGE-ME", says=says)

    assert (made, says[0]) == (by_hand, ";")


def test_the_dialplan_is_the_snippet_for_those_who_set_up_by_hand() -> None:
    assert (SNIPPETS / "extensions.dialerd.conf").read_text().endswith(texts.RING)


def test_ami_lets_in_the_address_that_dialerd_comes_from() -> None:
    made = texts.manager(Answers(ami_host="10.0.0.5"), "x")

    permits = [line for line in made.splitlines() if line.startswith("permit")]
    assert permits == ["permit = 127.0.0.1/255.255.255.255", "permit = 10.0.0.5/255.255.255.255"]


@pytest.mark.parametrize(("general", "head"), [(True, "[general](+)"), (False, "[general]")])
def test_ami_is_switched_on_for_this_machine_alone(general: bool, head: str) -> None:
    made = texts.manager(Answers(enable_ami=True), "x", general)

    assert head in made.splitlines()
    among = conf.sections("m", lambda _: {"m": made})
    assert conf.value(among, "general", "bindaddr") == "127.0.0.1"
    assert conf.value(among, "general", "enabled") == "yes"


def test_no_secret_is_shown() -> None:
    text = texts.manager(Answers(), "wonder;ful") + "[other]\nsecret=older\n"

    shown = texts.shown(text, "wonder;ful")

    assert re.findall("^secret.*", shown, re.MULTILINE) == [
        "secret = (as in ami_secret)",
        "secret= (not as in ami_secret)",
    ]
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize("line", ["Secret = older", ";secret = older", "secret => older", "SECRET=older"])
def test_no_way_of_writing_a_secret_shows_it(line: str) -> None:
    assert "older" not in texts.shown(f"[other]\n{line}\n", "wonderful")


@pytest.mark.skipif(not ROOT, reason="systemd-tmpfiles gives folders to users as root only")
def test_systemd_opens_the_spool_by_our_file_and_again(tmp_path: Path) -> None:
    if shutil.which("systemd-tmpfiles") is None:
        pytest.skip("There is no systemd-tmpfiles here.")
    spool = tmp_path / "spool"
    (spool / "outgoing").mkdir(parents=True)
    file = tmp_path / "dialerd-asterisk.conf"
    made = texts.tmpfiles(Answers(spool=str(spool), user="41001"), "41001")
    file.write_text(made.replace("u:dialerd:", "u:41002:").replace("dialerd dialerd", "41002 41002"))
    for path in (spool, spool / "outgoing"):
        os.chown(path, 41001, 41001)
        path.chmod(0o750)

    runs = [
        subprocess.run(
            ["systemd-tmpfiles", "--create", str(file)], capture_output=True, text=True, check=False
        )
        for _ in range(2)
    ]

    assert [(run.returncode, run.stderr) for run in runs] == [(0, "")] * 2
    with_acl = {
        each
        for each in ("", "outgoing", "outgoing_done")
        if os.getxattr(spool / each, "system.posix_acl_access")
    }
    assert with_acl == {"", "outgoing", "outgoing_done"}
    assert [(spool / each).stat().st_uid for each in ("", "outgoing", "outgoing_done")] == [41001] * 3
    ours = (spool / "dialerd").stat()
    assert (ours.st_uid, ours.st_mode & 0o7777) == (41002, 0o700)


def test_another_spool_is_opened_for_the_service_whole() -> None:
    lines = texts.drop_in(Answers(spool="/srv/spool")).splitlines()

    assert "ReadWritePaths=-/srv/spool" in lines
