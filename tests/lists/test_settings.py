"""The configuration's sections about stop lists."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from dialerd.config.lists import StopList, with_places

STATE = Path("/var/lib/dialerd")


def test_the_opt_out_list_always_exists_and_is_writable() -> None:
    assert with_places({}, STATE) == {
        "opt-out": StopList(
            file=STATE / "stop-lists/opt-out.txt", reason="asked not to be called", writable=True
        )
    }


def test_a_list_lies_where_it_says_or_else_in_the_state_folder() -> None:
    found = with_places(
        {
            "law": StopList.model_validate({"file": "/etc/law.txt", "reason": "a register"}),
            "mine": StopList(writable=True),
            "opt-out": StopList(reason="said no"),
        },
        STATE,
    )

    assert {name: str(each.file) for name, each in found.items()} == {
        "law": "/etc/law.txt",
        "mine": "/var/lib/dialerd/stop-lists/mine.txt",
        "opt-out": "/var/lib/dialerd/stop-lists/opt-out.txt",
    }
    assert [found[name].writable for name in ("law", "mine", "opt-out")] == [False, True, True]
    assert found["opt-out"].reason == "said no"


@pytest.mark.parametrize(
    "wrong", [{"file": "law.txt"}, {"writable": "yes"}, {"reason": "a\nb"}, {"path": "/x"}]
)
def test_a_wrong_setting_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        StopList.model_validate(wrong)
