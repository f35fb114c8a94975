"""What is wrong with a spool is said before the first call, all at once, with the cure."""

import os
from pathlib import Path

import pytest

from dialerd.core.errors import ConfigError
from dialerd.pbx.spool import Spool, SpoolSettings
from tests.pbx.apart import OWN_MOUNTS, apart
from tests.users import ASTERISK_UID, DIALERD_GID, DIALERD_UID, ROOT, as_dialerd, give

OTHER_UID = "41009" if ROOT else "0"


def mistakes(folder: Path, user: str | None = None) -> list[str]:
    with pytest.raises(ConfigError) as refusal:
        Spool(SpoolSettings(folder, user)).check()
    return [str(mistake) for mistake in refusal.value.mistakes]


def test_a_sound_spool_gets_our_folders_for_us_alone(folder: Path) -> None:
    Spool(SpoolSettings(folder)).check()
    ours = [folder / "dialerd" / name for name in (".", "staging", "taken", "doubt")]
    assert [path.stat().st_mode & 0o7777 for path in ours] == [0o700] * 4
    assert [list(path.iterdir()) for path in ours[1:]] == [[], [], []]
    assert list((folder / "outgoing").iterdir()) == []


def test_a_check_can_be_repeated_and_closes_folders_that_were_opened(folder: Path) -> None:
    spool = Spool(SpoolSettings(folder))
    spool.check()
    (folder / "dialerd" / "staging").chmod(0o777)
    spool.check()
    assert (folder / "dialerd" / "staging").stat().st_mode & 0o7777 == 0o700


def test_an_archive_that_debian_does_not_ship_is_made_for_asterisk(folder: Path) -> None:
    Spool(SpoolSettings(folder)).check()
    assert (folder / "outgoing_done").stat().st_mode & 0o7777 == 0o770


@pytest.mark.parametrize("made", [lambda path: None, lambda path: path.write_text("")])
def test_a_spool_that_is_no_folder_is_refused(tmp_path: Path, made: object) -> None:
    assert callable(made)
    made(tmp_path / "spool")
    [told] = mistakes(tmp_path / "spool")
    assert "astspooldir" in told


def test_a_missing_outgoing_is_refused(tmp_path: Path) -> None:
    [told] = mistakes(tmp_path)
    assert "Start Asterisk" in told


def test_an_unknown_user_is_refused_with_all_else_that_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "outgoing").write_text("")
    (tmp_path / "outgoing_done").write_text("")
    told = mistakes(tmp_path, "nobody-has-this-name")
    assert [mistake.partition(":")[0] for mistake in told] == [
        "asterisk.user",
        "asterisk.spool",
        "asterisk.spool",
    ]
    assert "There is no user 'nobody-has-this-name'" in told[0]


def test_a_sticky_outgoing_is_refused(folder: Path) -> None:
    (folder / "outgoing").chmod(0o1777)
    [told] = mistakes(folder)
    assert "chmod -t" in told


@pytest.mark.parametrize("place", ["dialerd", "dialerd/staging", "dialerd/doubt"])
def test_our_folder_must_not_be_a_link(folder: Path, place: str) -> None:
    (folder / "elsewhere").mkdir()
    (folder / "dialerd").mkdir()
    if place == "dialerd":
        (folder / "dialerd").rmdir()
    (folder / place).symlink_to(folder / "elsewhere")
    [told] = mistakes(folder)
    assert "it is a link" in told


def test_our_folder_must_not_be_a_file(folder: Path) -> None:
    (folder / "dialerd").write_text("")
    [told] = mistakes(folder)
    assert "is not a folder" in told


def test_an_archive_that_is_a_file_is_refused(folder: Path) -> None:
    (folder / "outgoing_done").write_text("")
    [told] = mistakes(folder)
    assert "outgoing_done is not a folder" in told


def test_an_outgoing_that_asterisks_user_may_not_write_is_refused(folder: Path) -> None:
    (folder / "outgoing").chmod(0o755)
    (folder / "outgoing_done").mkdir(0o777)
    (folder / "outgoing_done").chmod(0o777)
    told = mistakes(folder, "41009")
    assert f"outgoing belongs to {'root' if ROOT else ''}" in told[0]
    assert "uid 41009" in told[0]


def test_a_daemon_without_the_right_to_chown_is_refused(asterisks: Path) -> None:
    (asterisks / "outgoing").chmod(0o2777)
    told = apart("check", asterisks, OTHER_UID, command=as_dialerd(""))
    assert any("CAP_CHOWN" in mistake and mistake.startswith("asterisk.user") for mistake in told)


@pytest.mark.parametrize("mode", [0o550, 0o000])
def test_an_outgoing_that_we_may_not_write_is_refused(asterisks: Path, mode: int) -> None:
    (asterisks / "outgoing").chmod(mode)
    told = apart("check", asterisks, str(ASTERISK_UID), command=as_dialerd())
    assert any("may not read and write" in mistake and "setfacl" in mistake for mistake in told)


def test_a_spool_in_which_we_may_make_no_folder_is_refused_with_the_command_that_makes_it(
    asterisks: Path,
) -> None:
    asterisks.chmod(0o550)
    told = apart("check", asterisks, str(ASTERISK_UID), command=as_dialerd())
    asterisks.chmod(0o2770)
    assert any("install -d -o" in mistake for mistake in told)


def test_our_folders_must_be_our_own(asterisks: Path) -> None:
    if not ROOT:
        return  # only root can give a folder away
    (asterisks / "dialerd").mkdir(0o777)
    os.chown(asterisks / "dialerd", ASTERISK_UID, -1)
    told = apart("check", asterisks, str(ASTERISK_UID), command=as_dialerd())
    assert any("belongs to uid" in mistake for mistake in told)


def test_two_mounts_of_one_disk_are_refused(folder: Path) -> None:
    [told] = apart("two_mounts", folder, command=OWN_MOUNTS)
    assert "different mounts" in told


@pytest.mark.skipif(not ROOT, reason="only root can give a folder away")
def test_a_folder_that_root_left_in_ours_is_told_with_what_gives_it_back(asterisks: Path) -> None:
    (asterisks / "dialerd").mkdir(0o700)
    ours = give(asterisks / "dialerd", DIALERD_UID, DIALERD_GID)
    (ours / "staging").mkdir(0o700)

    told = apart("check", asterisks, OTHER_UID, command=as_dialerd())

    assert any(f"chown -R {DIALERD_UID} {ours}" in mistake for mistake in told)
    assert not any("CAP_CHOWN" in mistake for mistake in told)
