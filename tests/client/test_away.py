"""What the client says where nobody answers."""

from pathlib import Path

import pytest

from dialerd.client import errors
from dialerd.client.errors import DEFAULT_SOCKET, explain


@pytest.mark.parametrize(("there", "says"), [(False, "sudo dialerctl setup"), (True, "systemctl start")])
def test_a_dialerd_that_nobody_has_set_up_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, there: bool, says: str
) -> None:
    config = tmp_path / "dialerd.toml"
    if there:
        config.touch()
    monkeypatch.setattr(errors, "_CONFIG", str(config))

    assert says in str(explain(FileNotFoundError(2, "No such file or directory"), DEFAULT_SOCKET))
