"""What setup finds, and what it tells people to do."""

from fnmatch import fnmatchcase

import pytest

from dialerd.setup import conf, ground
from dialerd.setup.answers import Answers
from dialerd.setup.ground import Dialplan, Ground, Manager, todo
from tests.setup.machines import FREEPBX, MANAGER, STOCK, ZONES
from tests.setup.test_conf import reader

APART = "manager.dialerd.conf"


def read_of(files: dict[str, str]) -> conf.Read:
    there = {f"/{name}": text for name, text in files.items()}

    def read(wanted: str) -> dict[str, str]:
        path = wanted if wanted.startswith("/") else f"/etc/asterisk/{wanted}"
        return {name: text for name, text in there.items() if fnmatchcase(name, path)}

    return read


def test_debians_spool_is_not_the_one_of_its_template() -> None:
    assert ground.directories("/etc/asterisk", read_of(STOCK)) == (None, None)


def test_the_spool_and_user_of_asterisk_conf_count() -> None:
    text = "[directories]\nastspooldir => /srv/spool\n[options]\nrunuser = pbx ; not root\n"

    assert ground.directories("/a", reader(asterisk_conf=text)) == ("/srv/spool", "pbx")


@pytest.mark.parametrize(
    ("unit", "user"),
    [
        ("[Service]\nExecStart=/usr/sbin/asterisk -g -f -p -U asterisk -G asterisk\n", "asterisk"),
        ("[Service]\nUser=pbx\nExecStart=/usr/sbin/asterisk -f\n", "pbx"),
        ("[Service]\nExecStart=/usr/sbin/asterisk -f\n", None),
    ],
)
def test_the_unit_tells_who_asterisk_runs_as(unit: str, user: str | None) -> None:
    assert ground.user_in_unit(unit) == user


def test_our_file_goes_where_manager_conf_includes_a_folder() -> None:
    found = ground.manager("/etc/asterisk", read_of(STOCK), APART)

    assert (found.path, found.included, found.enabled) == ("/etc/asterisk/manager.d/dialerd.conf", True, True)


def test_our_file_goes_beside_manager_conf_where_that_includes_no_folder() -> None:
    found = ground.manager("/etc/asterisk", read_of(FREEPBX), APART)

    assert (found.path, found.included, found.users) == (f"/etc/asterisk/{APART}", False, ("admin",))


def test_our_file_stays_where_it_is() -> None:
    files = STOCK | {f"etc/asterisk/{APART}": "[dialerd]\n"}

    assert ground.manager("/etc/asterisk", read_of(files), APART).path == f"/etc/asterisk/{APART}"


def test_what_our_own_file_says_is_not_taken_for_the_administrators() -> None:
    ours = "; x\n[general](+)\nenabled = yes\n[dialerd]\n"
    off = MANAGER.replace("enabled = yes", "enabled = no")
    files = STOCK | {"etc/asterisk/manager.conf": off, "etc/asterisk/manager.d/dialerd.conf": ours}

    found = ground.manager("/etc/asterisk", read_of(files), APART)

    assert (found.enabled, found.by_us, found.users) == (False, True, ())


def test_endpoints_that_log_in_elsewhere_look_like_trunks() -> None:
    assert ground.endpoints("/etc/asterisk", read_of(STOCK)) == ("mytrunk",)


def test_all_endpoints_are_named_where_none_logs_in() -> None:
    text = "[p](!)\ntype=endpoint\n[100](p)\n[101](p)\n[auth]\ntype=auth\n"

    assert ground.endpoints("/a", reader(pjsip_conf=text)) == ("100", "101")


@pytest.mark.parametrize(("zone", "country"), [("Europe/Vienna", "AT"), ("Etc/UTC", "")])
def test_the_time_zone_tells_the_country(zone: str, country: str) -> None:
    assert ground.country_of(zone, ZONES) == country


GOOD = Manager(
    path="/e/manager.d/dialerd.conf", included=True, there=True, enabled=True, bindaddr="127.0.0.1"
)
PLAN = Dialplan("/e/extensions.dialerd.conf", True, frozenset({"survey"}))
TOLD = Answers(trunks=(("main", "PJSIP/{digits}@me"),), destinations=("DE",), contexts=("survey", "ivr-*"))


def sentences(manager: Manager = GOOD, plan: Dialplan = PLAN, answers: Answers = TOLD) -> str:
    return "\n".join(todo(answers, Ground("/e", manager, plan, endpoints=("mytrunk",))))


def test_nothing_is_to_be_done_where_all_is_well() -> None:
    assert sentences() == ""


@pytest.mark.parametrize(
    ("manager", "said"),
    [
        (
            Manager("/e/manager.dialerd.conf", False, True, True, bindaddr="127.0.0.1"),
            "#tryinclude manager.dialerd.conf",
        ),
        (Manager(GOOD.path, True, True, False, bindaddr="127.0.0.1"), "--enable-ami"),
        (Manager(GOOD.path, True, True, True), "every address"),
        (Manager(GOOD.path, True, True, True, bindaddr="0.0.0.0"), "0.0.0.0"),
        (Manager(GOOD.path, True, True, True, bindaddr="127.0.0.1", port="5039"), "5039"),
        (Manager(GOOD.path, True), "There is no /e/manager.conf"),
    ],
)
def test_what_is_wrong_with_ami_is_told(manager: Manager, said: str) -> None:
    told = sentences(manager)

    assert (said in told, len(told.splitlines())) == (True, 1)


def test_what_is_missing_for_calls_is_told() -> None:
    assert "mytrunk" in sentences(answers=Answers())
    assert "--destinations" in sentences(answers=Answers(trunks=TOLD.trunks))
    assert "ring: any" in sentences(plan=Dialplan(PLAN.path, False, PLAN.contexts))
    assert "context survey" in sentences(plan=Dialplan(PLAN.path, True))
