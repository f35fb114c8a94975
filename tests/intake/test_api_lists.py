"""The routes about stop lists and rates, on a real socket."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from dialerd.core.roles import Right
from dialerd.intake.api import lists as routes
from dialerd.intake.api.lists import OPENAPI_PATHS, OPENAPI_SCHEMAS
from tests.intake.serving import Heard
from tests.lists.serving import ServedLists

BERLIN, MUNICH = "+4930123456", "+4989123456"
ADD, REMOVE, IMPORT = (f"/v1/stop-lists/opt-out/{verb}" for verb in ("add", "remove", "import"))


@pytest.fixture
def served(tmp_path: Path) -> Iterator[ServedLists]:
    with ServedLists(tmp_path) as running:
        yield running


def wheres(heard: Heard) -> list[str]:
    return [mistake["where"] for mistake in heard.json["mistakes"]]


def test_the_lists_are_told(served: ServedLists) -> None:
    (opt_out, law) = served.ask("GET", "/v1/stop-lists").json["lists"]

    assert opt_out == {
        "name": "opt-out",
        "entries": 0,
        "reason": "asked not to be called",
        "file": str(served.opt_out),
        "writable": True,
        "problems": [],
    }
    assert (law["name"], law["entries"], law["writable"]) == ("law", 1, False)


def test_a_number_is_added_and_stopped(served: ServedLists) -> None:
    heard = served.ask("POST", ADD, {"number": "030 123456", "reason": "by fax"})

    assert heard.status == 200
    assert heard.json == {
        "list": "opt-out",
        "number": BERLIN,
        "changed": True,
        "stopped": f"{BERLIN} is on the do-not-call list opt-out: asked not to be called",
    }
    assert served.stop_lists.stopped(BERLIN)
    assert "by fax" in served.opt_out.read_text()


def test_adding_twice_changes_nothing(served: ServedLists) -> None:
    served.ask("POST", ADD, {"number": BERLIN})

    heard = served.ask("POST", ADD, {"number": BERLIN})

    assert (heard.status, heard.json["changed"]) == (200, False)


def test_a_number_is_removed(served: ServedLists) -> None:
    served.ask("POST", ADD, {"number": BERLIN})

    heard = served.ask("POST", REMOVE, {"number": BERLIN})

    assert (heard.status, heard.json["changed"], heard.json["stopped"]) == (200, True, None)


def test_a_check_tells_why_and_by_which_lines(served: ServedLists) -> None:
    stopped = served.ask("GET", "/v1/stop-lists/check?number=%2B4989123456").json
    free = served.ask("GET", "/v1/stop-lists/check?number=030%20123456").json

    assert stopped == {
        "number": MUNICH,
        "stopped": f"{MUNICH} is on the do-not-call list law: a register",
        "entries": [{"list": "law", "reason": "a register", "line": "+4989123456,by law"}],
    }
    assert free == {"number": BERLIN, "stopped": None, "entries": []}


def test_an_import_adds_all(served: ServedLists) -> None:
    body = "number;reason\n" + "".join(f"+4930{number:07};x\n" for number in range(20_000))

    heard = served.ask("POST", IMPORT, body.encode(), Content_Type="text/plain")

    assert (heard.status, heard.json) == (200, {"list": "opt-out", "added": 20_000})
    assert served.stop_lists.stopped("+49300019999")


def test_an_import_with_mistakes_adds_nothing(served: ServedLists) -> None:
    heard = served.ask("POST", IMPORT, b"+4930123456\nbad\nworse\n")

    assert (heard.status, wheres(heard)) == (422, ["line 2", "line 3"])
    assert served.opt_out.read_text() == ""


@pytest.mark.parametrize("announced", [True, False])
def test_an_import_that_is_too_large_is_refused(
    served: ServedLists, monkeypatch: pytest.MonkeyPatch, announced: bool
) -> None:
    monkeypatch.setattr(routes, "LARGEST_IMPORT", 1000)
    pieces = [b"+4930123456\n" * 50] * 3

    with served.connection() as connection:
        if announced:
            connection.request("POST", IMPORT, b"".join(pieces))
        else:
            connection.request("POST", IMPORT, iter(pieces), encode_chunked=True)
        heard = Heard(connection.getresponse())

    assert (heard.status, served.opt_out.read_text()) == (413, "")


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "where"),
    [
        ("POST", ADD, {"number": "no number"}, 422, ["number"]),
        ("POST", ADD, {}, 422, ["number"]),
        ("POST", ADD, {"nummer": BERLIN, "reason": 1}, 422, ["nummer", "reason"]),
        ("POST", ADD, {"number": BERLIN, "reason": "two\nlines"}, 422, ["reason"]),
        ("POST", ADD, [BERLIN], 422, [""]),
        ("POST", ADD, b"{", 400, [""]),
        ("POST", ADD + "?x=1", {"number": BERLIN}, 422, ["query.x"]),
        ("POST", "/v1/stop-lists/law/add", {"number": BERLIN}, 422, ["list"]),
        ("POST", "/v1/stop-lists/law/import", b"+4930123456", 422, ["list"]),
        ("GET", "/v1/stop-lists/check", None, 422, ["number"]),
        ("GET", "/v1/rates/check?number=x", None, 422, ["number"]),
        ("POST", "/v1/stop-lists/optout/add", {"number": BERLIN}, 404, None),
        ("POST", "/v1/stop-lists/opt-out/ad", {"number": BERLIN}, 404, None),
        ("GET", ADD, None, 405, None),
    ],
)
def test_a_request_with_mistakes_is_refused(
    served: ServedLists, method: str, target: str, body: Any, status: int, where: list[str] | None
) -> None:
    heard = served.ask(method, target, body)

    assert heard.status == status
    assert where is None or wheres(heard) == where
    assert served.opt_out.read_text() == ""


def test_a_list_that_can_not_be_written_is_a_503(served: ServedLists) -> None:
    served.opt_out.unlink()

    heard = served.ask("POST", ADD, {"number": BERLIN})

    assert heard.status == 503
    assert "can't be written" in heard.json["detail"]


def test_a_rate_is_told(served: ServedLists) -> None:
    rate = {"prefix": "+49", "per_minute": "0.02", "connect": "0.00", "increment": 60, "trunk": None}

    plain = served.ask("GET", "/v1/rates/check?number=%2B4930123456").json
    cheap = served.ask("GET", "/v1/rates/check?number=%2B4930123456&trunk=cheap").json
    none = served.ask("GET", "/v1/rates/check?number=%2B12125550123").json

    assert plain == {"number": BERLIN, "trunk": None, "rate": rate}
    assert (cheap["trunk"], cheap["rate"]["prefix"], cheap["rate"]["connect"]) == ("cheap", "+4930", "0.10")
    assert none["rate"] is None


@pytest.mark.parametrize("right", [Right.SUBMIT, Right.OPERATE])
def test_checks_need_the_right_to_submit_and_changes_that_to_operate(tmp_path: Path, right: Right) -> None:
    with ServedLists(tmp_path, right=right) as served:
        checked = [
            served.ask("GET", target).status
            for target in ("/v1/stop-lists", "/v1/stop-lists/check?number=1", "/v1/rates/check?number=1")
        ]
        changed = [
            served.ask("POST", ADD, {"number": BERLIN}).status,
            served.ask("POST", IMPORT, b"").status,
            served.ask("POST", REMOVE, {"number": BERLIN}).status,
        ]

    allowed = {200} if right is Right.OPERATE else {403}
    assert set(changed) == allowed
    assert set(checked) == {200, 403} - allowed


CASES: list[tuple[str, str, str, Any]] = [
    ("get", "/v1/stop-lists", "/v1/stop-lists", None),
    ("get", "/v1/stop-lists/check", "/v1/stop-lists/check?number=%2B4989123456", None),
    ("post", "/v1/stop-lists/{name}/add", ADD, {"number": BERLIN}),
    ("post", "/v1/stop-lists/{name}/remove", REMOVE, {"number": BERLIN}),
    ("post", "/v1/stop-lists/{name}/import", IMPORT, b"+4930123456"),
    ("get", "/v1/rates/check", "/v1/rates/check?number=%2B4930123456", None),
    ("get", "/v1/rates/check", "/v1/rates/check?number=%2B1", None),
]


@pytest.mark.parametrize(("method", "path", "target", "body"), CASES)
def test_an_answer_is_as_described(
    served: ServedLists, method: str, path: str, target: str, body: Any
) -> None:
    heard = served.ask(method.upper(), target.replace("%2B1", "1"), body)

    described = {
        **OPENAPI_PATHS[path][method]["responses"]["200"]["content"]["application/json"]["schema"],
        "components": {"schemas": OPENAPI_SCHEMAS},
    }
    assert heard.status == 200
    jsonschema.Draft202012Validator(described).validate(heard.json)
    assert {each[1] for each in CASES} == set(OPENAPI_PATHS)
