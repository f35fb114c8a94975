"""The spool: each step is whole or did not happen, and says which."""

import os
import time
from pathlib import Path

import pytest

from dialerd.core.errors import Broken, Unconfirmed
from dialerd.core.signals import Place, Sighting
from dialerd.pbx.spool import Spool, SpoolSettings
from tests.pbx.apart import NAMES, OWN_MOUNTS, apart
from tests.users import ASTERISK_GID, ASTERISK_UID, DIALERD_GID, ROOT, as_dialerd, give

NAME, OTHER = NAMES[:2]
STARTED = "\nStartRetry: 3101 1 (1795225058)\n"


def put(folder: Path, text: str = "Channel: a/b\n", name: str = NAME) -> Path:
    """A file such as dialerd or Asterisk would have left there."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def test_a_staged_file_has_its_text_and_is_its_owners_alone(spool: Spool, folder: Path) -> None:
    assert spool.stage({NAME: b"Channel: a/b\n", OTHER: b""}) == {}
    path = folder / "dialerd" / "staging" / NAME
    assert path.read_bytes() == b"Channel: a/b\n"
    assert path.stat().st_mode & 0o7777 == 0o600
    assert spool.look(OTHER).place is Place.STAGED


def test_the_mtime_of_a_call_file_is_never_in_the_future(spool: Spool, folder: Path) -> None:
    spool.stage({NAME: b"x"})
    spool.hand_over([NAME])
    behind = time.time() - (folder / "outgoing" / NAME).stat().st_mtime
    assert 86_000 < behind < 87_000  # a clock that is set back by less does not put the call off


def test_a_staged_file_that_a_crash_left_is_replaced(spool: Spool, folder: Path) -> None:
    put(folder / "dialerd" / "staging", "half")
    assert spool.stage({NAME: b"whole"}) == {}
    assert (folder / "dialerd" / "staging" / NAME).read_bytes() == b"whole"


def test_a_link_under_the_name_of_a_staged_file_is_not_followed(spool: Spool, folder: Path) -> None:
    victim = put(folder, "precious", "victim")
    (folder / "dialerd" / "staging" / NAME).symlink_to(victim)
    assert spool.stage({NAME: b"x"}) == {}
    assert victim.read_text() == "precious"
    assert not (folder / "dialerd" / "staging" / NAME).is_symlink()


@pytest.mark.parametrize("link", ["dialerd", "dialerd/staging"])
def test_a_link_in_place_of_our_folder_is_not_followed(spool: Spool, folder: Path, link: str) -> None:
    elsewhere = folder / "elsewhere"
    (folder / link).rename(elsewhere)
    (folder / link).symlink_to(elsewhere)
    with pytest.raises(Broken):
        spool.stage({NAME: b"x"})
    assert not list(elsewhere.rglob("*.call"))


@pytest.mark.parametrize(
    "name", ["../outgoing/x", "x.call", f"{NAME}.tmp", f"0/{NAME}", "0123456789abc.0.call", ""]
)
def test_a_name_that_is_no_attempts_is_a_bug(spool: Spool, name: str) -> None:
    with pytest.raises(ValueError, match="no call file"):
        spool.stage({name: b"x"})


def test_a_handed_over_file_lies_in_outgoing_whole(spool: Spool, folder: Path) -> None:
    spool.stage({NAME: b"text", OTHER: b"x"})
    assert spool.hand_over([NAME, OTHER]) == {}
    assert (folder / "outgoing" / NAME).read_bytes() == b"text"
    assert spool.listing() == {
        Place.STAGED: frozenset(),
        Place.OUTGOING: {NAME, OTHER},
        Place.TAKEN: frozenset(),
        Place.DONE: frozenset(),
    }


def test_a_file_that_is_no_longer_staged_may_have_been_handed_over(spool: Spool) -> None:
    spool.stage({OTHER: b"x"})
    failures = spool.hand_over([NAME, OTHER])
    assert list(failures) == [NAME]
    assert isinstance(failures[NAME], Unconfirmed)
    assert spool.look(OTHER).place is Place.OUTGOING


def test_a_name_in_outgoing_is_never_replaced(spool: Spool, folder: Path) -> None:
    put(folder / "outgoing", "first")
    spool.stage({NAME: b"second"})
    failures = spool.hand_over([NAME])
    assert isinstance(failures[NAME], Unconfirmed)
    assert (folder / "outgoing" / NAME).read_text() == "first"


def test_without_outgoing_nothing_is_handed_over(spool: Spool, folder: Path) -> None:
    spool.stage({NAME: b"x"})
    (folder / "outgoing").rmdir()
    with pytest.raises(Broken, match="start Asterisk"):
        spool.hand_over([NAME])
    assert (folder / "dialerd" / "staging" / NAME).exists()


def test_a_discarded_file_is_gone(spool: Spool) -> None:
    spool.stage({NAME: b"x", OTHER: b"x"})
    spool.discard([NAME, NAMES[5]])
    assert spool.survey() == [Sighting(OTHER, Place.STAGED)]


def test_a_file_is_taken_out_and_put_back_once(spool: Spool, folder: Path) -> None:
    put(folder / "outgoing")
    moves = spool.take_out(NAME), spool.take_out(NAME), spool.put_back(NAME), spool.put_back(NAME)
    assert moves == (True, False, True, False)
    assert spool.look(NAME) == Sighting(NAME, Place.OUTGOING)


def test_a_file_whose_name_came_back_is_not_put_back(spool: Spool, folder: Path) -> None:
    put(folder / "outgoing")
    spool.take_out(NAME)
    put(folder / "outgoing", STARTED)
    assert not spool.put_back(NAME)
    assert spool.look(NAME) == Sighting(
        NAME, Place.OUTGOING, started=True, lines=(STARTED.strip(),), also=(Place.TAKEN,)
    )


def test_a_taken_file_can_be_dropped(spool: Spool, folder: Path) -> None:
    put(folder / "outgoing")
    spool.take_out(NAME)
    spool.drop_taken(NAME)
    assert spool.look(NAME).place is Place.GONE


def test_evidence_is_kept_out_of_asterisks_reach_and_never_overwritten(spool: Spool, folder: Path) -> None:
    for text in ("first", "second"):
        put(folder / "outgoing", text)
        assert spool.keep_evidence(NAME)
    assert not spool.keep_evidence(NAME)
    doubt = folder / "dialerd" / "doubt"
    assert [(doubt / name).read_text() for name in (NAME, f"{NAME}.2")] == ["first", "second"]
    assert spool.look(NAME).place is Place.GONE


def test_files_are_removed_from_the_archive_and_where_they_were_taken(spool: Spool, folder: Path) -> None:
    put(folder / "outgoing_done")
    put(folder / "dialerd" / "taken", name=OTHER)
    put(folder / "outgoing", name=NAMES[2])
    spool.remove([NAME, OTHER, NAMES[2]])
    assert [sighting.name for sighting in spool.survey()] == [NAMES[2]]


def test_an_archive_that_is_not_there_yet_is_empty(spool: Spool, folder: Path) -> None:
    (folder / "outgoing_done").rmdir()
    spool.remove([NAME])
    assert spool.look(NAME) == Sighting(NAME, Place.GONE)
    assert spool.survey() == []


def test_a_started_file_says_so(spool: Spool, folder: Path) -> None:
    put(folder / "outgoing", "Channel: a/b\nArchive: yes\n" + STARTED)
    assert spool.look(NAME) == Sighting(NAME, Place.OUTGOING, started=True, lines=(STARTED.strip(),))


def test_a_file_that_we_may_not_read_was_made_anew_by_asterisk_and_has_started(asterisks: Path) -> None:
    give(put(asterisks / "outgoing"), ASTERISK_UID, ASTERISK_GID, 0o600 if ROOT else 0o000)
    came = apart("look", asterisks, str(ASTERISK_UID), command=as_dialerd())
    assert came == {"place": "outgoing", "started": True}


@pytest.mark.parametrize("gone", ["outgoing", "dialerd/staging"])
def test_a_folder_that_is_gone_does_not_look_like_a_file_that_is_gone(
    spool: Spool, folder: Path, gone: str
) -> None:
    (folder / gone).rmdir()
    with pytest.raises(Broken, match="gone"):
        spool.look(NAME)


def test_an_archived_file_without_its_status_line_is_not_over(spool: Spool, folder: Path) -> None:
    path = put(folder / "outgoing_done", "Channel: a/b\n" + STARTED)
    os.utime(path, (2e9, 2e9))
    assert spool.look(NAME) == Sighting(NAME, Place.DONE, started=True, lines=(STARTED.strip(),))


@pytest.mark.parametrize("status", ["Completed", "Expired", "Failed"])
def test_an_archived_file_says_what_the_call_came_to_and_when(
    spool: Spool, folder: Path, status: str
) -> None:
    path = put(folder / "outgoing_done", f"Channel: a/b\n{STARTED}Status: {status}\n")
    os.utime(path, (1e9, 1e9))
    sighting = spool.look(NAME)
    assert (sighting.status, sighting.ended, sighting.started) == (status, 1e9, True)
    assert sighting.lines == (STARTED.strip(), f"Status: {status}")


@pytest.mark.parametrize(
    "end", ["Status: Comp", "Status: Completed", "Status: Whatever\n", "Data: Status: Expired\n"]
)
def test_a_status_that_is_half_written_or_unknown_is_none(spool: Spool, folder: Path, end: str) -> None:
    put(folder / "outgoing_done", f"Channel: a/b\n{STARTED}{end}")
    sighting = spool.look(NAME)
    assert (sighting.status, sighting.ended) == (None, None)


def test_a_file_in_two_places_is_told_of_by_the_one_that_says_most(spool: Spool, folder: Path) -> None:
    put(folder / "outgoing_done", f"{STARTED}Status: Expired\n")
    put(folder / "outgoing")
    put(folder / "dialerd" / "staging")
    sighting = spool.look(NAME)
    assert (sighting.place, sighting.also) == (Place.DONE, (Place.OUTGOING, Place.STAGED))
    assert (sighting.started, sighting.status) == (True, "Expired")


def test_foreign_files_are_neither_told_of_nor_touched(spool: Spool, folder: Path) -> None:
    foreign = ["a.call", f"{NAME}.bak", ".x.call", "0123456789ABC.1.call"]
    for name in foreign:
        put(folder / "outgoing", name=name)
    (folder / "outgoing" / NAME).mkdir()
    os.mkfifo(folder / "outgoing" / OTHER)
    (folder / "outgoing" / NAMES[2]).symlink_to(folder / "outgoing" / "a.call")
    assert spool.survey() == []
    assert {path.name for path in (folder / "outgoing").iterdir()} == {*foreign, NAME, OTHER, NAMES[2]}


def test_the_survey_finds_every_file_in_every_place(spool: Spool, folder: Path) -> None:
    places = ["dialerd/staging", "outgoing", "dialerd/taken", "outgoing_done", "dialerd/doubt"]
    for name, place in zip(NAMES, places, strict=False):
        put(folder / place, name=name)
    assert [sighting.place for sighting in spool.survey()] == [
        Place.STAGED,
        Place.OUTGOING,
        Place.TAKEN,
        Place.DONE,
    ]


def test_free_space_is_that_of_the_spools_disk(spool: Spool, folder: Path) -> None:
    state = os.statvfs(folder)
    assert abs(spool.free_bytes() - state.f_bavail * state.f_frsize) < 100_000_000


def test_on_a_full_disk_what_fits_is_staged_and_the_rest_leaves_nothing(folder: Path) -> None:
    came = apart("full_disk", folder, command=OWN_MOUNTS)
    assert came["mistakes"] == []
    assert set(came["failures"].values()) == {"Broken"}
    assert "full" in came["sentence"]
    assert came["staged"]
    assert sorted([*came["failures"], *came["staged"]]) == NAMES
    assert any("full" in mistake for mistake in came["mistakes when full"])
    assert came["failures after"] == {}


def test_on_a_read_only_disk_nothing_moves(folder: Path) -> None:
    came = apart("read_only", folder, command=OWN_MOUNTS)
    assert (came["stage"], came["hand_over"]) == ({OTHER: "Broken"}, {NAME: "Broken"})
    assert (came["take_out"], came["place"]) == ("Broken", "staging")
    assert any("read-only" in mistake for mistake in came["mistakes"])


def test_from_another_disk_nothing_is_handed_over(folder: Path) -> None:
    came = apart("two_disks", folder, command=OWN_MOUNTS)
    assert (came["hand_over"], came["place"]) == ({NAME: "Broken"}, "staging")
    assert "different mounts" in " ".join(came["mistakes"])


def test_too_few_descriptors_pass_by_themselves(folder: Path) -> None:
    came = apart("few_descriptors", folder)
    assert set(came["failures"].values()) == {"Unavailable"}
    assert sorted([*came["failures"], *came["staged"]]) == NAMES


def test_a_daemon_that_may_only_chown_gives_the_file_to_asterisk_and_can_read_the_result(
    asterisks: Path,
) -> None:
    came = apart("hand_over", asterisks, str(ASTERISK_UID), command=as_dialerd())
    mode = "0o640" if os.geteuid() != ASTERISK_UID else "0o600"
    assert (came["mistakes"], came["failures"]) == ([], {})
    assert (came["uid"], came["gid"], came["mode"]) == (ASTERISK_UID, DIALERD_GID, mode)
    assert (came["place"], came["started"], came["moves"]) == ("outgoing", False, [True, True])


def test_two_spools_of_one_folder_see_the_same(spool: Spool, folder: Path) -> None:
    spool.stage({NAME: b"x"})
    assert Spool(SpoolSettings(folder)).survey() == [Sighting(NAME, Place.STAGED)]
