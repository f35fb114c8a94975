"""dialerctl setup, on folders that hold a machine."""

import json
from pathlib import Path

import pytest

from dialerd.config import load
from tests.cli.setting_up import SECRET, TOML, TRUNK, USUAL, load_toml, setup
from tests.configuring import SYSTEM
from tests.setup.machines import FREEPBX, MANAGER, STOCK, Layout
from tests.users import ROOT

AMI, TMPFILES = "etc/asterisk/manager.d/dialerd.conf", "etc/tmpfiles.d/dialerd-asterisk.conf"
DIALPLAN = "etc/asterisk/extensions.dialerd.conf"
DROP_IN = "etc/systemd/system/dialerd.service.d/asterisk.conf"


@pytest.fixture
def stock(tmp_path: Path) -> Layout:
    return Layout(tmp_path / "root", STOCK)


def secret_of(machine: Layout) -> str:
    return machine.text(SECRET).removesuffix("\n")


def test_a_stock_debian_is_set_up(stock: Layout) -> None:
    result = setup(stock, *USUAL)

    assert result.exit_code == 0
    environ = SYSTEM | {"CREDENTIALS_DIRECTORY": str((stock.root / SECRET).parent)}
    config = load(stock.root / TOML, environ)
    assert (config.asterisk.service, config.asterisk.spool) == (
        "asterisk.service",
        Path("/var/spool/asterisk"),
    )
    assert config.trunks["main"].channel == "PJSIP/{digits}@mytrunk"
    assert (config.calls.default_country, config.calls.destinations, config.calls.contexts) == (
        "DE",
        ("DE",),
        ("survey",),
    )
    assert config.ami is not None
    assert len(config.ami.secret) > 40
    assert f"\n[dialerd]\nsecret = {config.ami.secret}\n" in stock.text(AMI)
    assert "[dialerd-ring]" in stock.text(DIALPLAN)
    assert "d /var/spool/asterisk/dialerd 0700 dialerd dialerd" in stock.text(TMPFILES)
    assert not (stock.root / DROP_IN).exists()


def test_what_setup_wrote_is_listed_for_the_purge(stock: Layout) -> None:
    setup(stock, *USUAL)

    assert stock.text("etc/dialerd/setup.files").split() == [f"/{each}" for each in (AMI, DIALPLAN, TMPFILES)]


def test_owners_and_modes_let_only_those_read_who_must(stock: Layout) -> None:
    setup(stock, *USUAL)

    found = {name: (stock.root / name).stat() for name in (TOML, SECRET, AMI, TMPFILES)}
    modes = {name: stat.st_mode & 0o7777 for name, stat in found.items()}
    assert modes == {TOML: 0o640, SECRET: 0o600, AMI: 0o640, TMPFILES: 0o644}
    assert (stock.root / SECRET).parent.stat().st_mode & 0o7777 == 0o700
    if ROOT:
        owners = {name: (stat.st_uid, stat.st_gid) for name, stat in found.items()}
        assert owners == {TOML: (0, 994), SECRET: (0, 0), AMI: (0, 101), TMPFILES: (0, 0)}


def test_the_secret_is_in_no_output(stock: Layout) -> None:
    shown = [setup(stock, *USUAL), setup(stock, "--yes", "--ami-user", "robot"), setup(stock, "--json")]

    assert [secret_of(stock) in result.output for result in shown] == [False] * 3


@pytest.mark.parametrize("words", [USUAL, ("--yes",)], ids=["the same answers", "no answers"])
def test_a_second_run_changes_nothing_and_says_so(stock: Layout, words: tuple[str, ...]) -> None:
    setup(stock, *USUAL)
    before = stock.state()
    result = setup(stock, *words)

    assert (result.exit_code, "Nothing has to be changed." in result.stdout) == (0, True)
    assert stock.state() == before


def test_other_answers_change_what_they_are_about(stock: Layout) -> None:
    setup(stock, *USUAL)
    before = stock.text(AMI)

    result = setup(stock, "--yes", "--destinations", "DE,AT", "--destinations", "!+49180")

    assert result.exit_code == 0
    assert '+destinations = ["DE", "AT", "!+49180"]' in result.stdout
    assert load_toml(stock).calls.destinations == ("DE", "AT", "!+49180")
    assert list(load_toml(stock).trunks) == ["main"]
    assert stock.text(AMI) == before


def test_a_dry_run_shows_and_writes_nothing(stock: Layout) -> None:
    before = stock.state()

    result = setup(stock, *USUAL, "--dry-run")

    assert (result.exit_code, stock.state()) == (0, before)
    assert "+[trunks.main]" in result.stdout


def test_without_a_terminal_nothing_is_written_unasked(stock: Layout) -> None:
    before = stock.state()

    result = setup(stock, *TRUNK)

    assert (result.exit_code, stock.state()) == (1, before)
    assert "--yes" in result.stdout


@pytest.mark.parametrize("name", [TOML, AMI, TMPFILES])
def test_a_file_that_was_changed_by_hand_is_left_alone_and_the_rest_is_done(stock: Layout, name: str) -> None:
    setup(stock, *USUAL)
    edited = stock.text(name) + "# mine\n"
    stock.write(name, edited)
    (stock.root / DIALPLAN).unlink()

    result = setup(stock, "--yes")

    assert (result.exit_code, stock.text(name)) == (1, edited)
    assert "-# mine" in result.stdout
    assert (stock.root / DIALPLAN).exists()


def test_a_configuration_that_a_person_wrote_is_left_alone_and_kept_to(stock: Layout) -> None:
    text = '[asterisk]\nuser = "root"\n[ami]\nusername = "robot"\n[calls]\ndestinations = ["FR"]\n'
    stock.write(TOML, text)

    result = setup(stock, "--yes")

    assert (result.exit_code, stock.text(TOML)) == (1, text)
    assert "\n[robot]\n" in stock.text(AMI)
    assert ":root :root" in stock.text(TMPFILES)


def test_by_force_a_file_is_replaced_and_kept(stock: Layout) -> None:
    stock.write(TMPFILES, "# mine\n")
    setup(stock, *USUAL, "--force")
    stock.write(TMPFILES, "# mine, too\n")

    result = setup(stock, *USUAL, "--force")

    assert result.exit_code == 0
    assert stock.text(TMPFILES).startswith("# Written by")
    assert stock.text(f"{TMPFILES}.bak") == "# mine\n"
    assert stock.text(f"{TMPFILES}.bak.2") == "# mine, too\n"


def test_a_link_in_the_place_of_a_file_is_not_followed(stock: Layout) -> None:
    stock.write("etc/elsewhere", "theirs\n")
    (stock.root / AMI).symlink_to(stock.root / "etc/elsewhere")

    result = setup(stock, *USUAL, "--force")

    assert (result.exit_code, stock.text("etc/elsewhere")) == (2, "theirs\n")
    assert f"/{AMI} can't be read" in result.stderr


def test_a_link_in_the_place_of_a_folder_is_not_followed(stock: Layout) -> None:
    (stock.root / AMI).parent.rename(stock.root / "etc/elsewhere")
    (stock.root / AMI).parent.symlink_to(stock.root / "etc/elsewhere")

    result = setup(stock, *USUAL)

    assert result.exit_code == 1
    assert not (stock.root / "etc/elsewhere/dialerd.conf").exists()


def test_ami_that_is_off_is_told_of_and_switched_on_only_when_asked_for(stock: Layout) -> None:
    stock.write("etc/asterisk/manager.conf", MANAGER.replace("enabled = yes", "enabled = no"))

    told = setup(stock, *USUAL)
    before = stock.text(AMI)
    done = setup(stock, *USUAL, "--enable-ami")
    again = setup(stock, "--yes")

    assert ("--enable-ami" in told.stdout, "[general]" in before) == (True, False)
    assert "\n[general](+)\nenabled = yes\nbindaddr = 127.0.0.1\n" in stock.text(AMI)
    assert ("AMI is off: under" in done.stdout, "Nothing has to be changed." in again.stdout) == (False, True)


def test_without_a_folder_to_include_the_line_to_add_is_told(stock: Layout) -> None:
    stock.write("etc/asterisk/manager.conf", MANAGER.replace("#include", ";include"))

    result = setup(stock, *USUAL)

    assert "manager.conf: #tryinclude manager.dialerd.conf" in result.stdout
    assert "extensions.conf: #tryinclude extensions.dialerd.conf" in result.stdout
    assert (stock.root / "etc/asterisk/manager.dialerd.conf").exists()


def test_an_ami_that_others_can_reach_is_told_of(stock: Layout) -> None:
    stock.write("etc/asterisk/manager.conf", MANAGER.replace("127.0.0.1", "0.0.0.0"))

    assert "clear text" in setup(stock, *USUAL).stdout


def test_freepbx_is_told_of_its_own_files(tmp_path: Path) -> None:
    machine = Layout(tmp_path / "root", FREEPBX)

    result = setup(machine, "--trunk", "main=Local/{digits}@from-internal", "--country", "DE", "--yes")

    assert result.exit_code == 0
    assert "manager_custom.conf: #tryinclude manager.dialerd.conf" in result.stdout
    assert "extensions_custom.conf: #tryinclude extensions.dialerd.conf" in result.stdout
    assert load_toml(machine).asterisk.service == ""


def test_another_spool_is_opened_to_the_service_and_closed_again(tmp_path: Path) -> None:
    conf = "[directories]\nastspooldir => /srv/spool\n"
    machine = Layout(tmp_path / "root", STOCK | {"etc/asterisk/asterisk.conf": conf}, "srv/spool")
    machine.make_spool("var/spool/asterisk")

    setup(machine, *USUAL)
    opened = machine.text(DROP_IN)
    result = setup(machine, "--yes", "--spool", "/var/spool/asterisk")

    assert "ReadWritePaths=-/srv/spool" in opened
    assert (result.exit_code, (machine.root / DROP_IN).exists()) == (0, False)


def test_a_secret_that_is_there_is_kept(stock: Layout) -> None:
    stock.write(SECRET, "kept;word\n")

    setup(stock, *USUAL)

    assert secret_of(stock) == "kept;word"
    assert "secret = kept\\;word\n" in stock.text(AMI)


def test_what_is_done_is_told_as_json(stock: Layout) -> None:
    result = setup(stock, *USUAL, "--json")

    told = json.loads(result.stdout)
    assert {each["path"]: each["written"] for each in told["files"]} == {
        f"/{each}": True for each in (SECRET, TOML, AMI, DIALPLAN, TMPFILES)
    }
    assert ["systemd-tmpfiles", "--create", f"/{TMPFILES}"] in told["commands"]
