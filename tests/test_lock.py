"""Whose the state folder is."""

import os
from pathlib import Path

import pytest

from dialerd.core.errors import ConfigError
from dialerd.lock import not_anothers
from tests.users import DIALERD_GID, DIALERD_UID, ROOT, give


@pytest.mark.skipif(not ROOT, reason="only root could spoil it")
def test_root_does_not_run_the_dialerd_of_another_user(tmp_path: Path) -> None:
    folder = give(tmp_path, DIALERD_UID, DIALERD_GID)

    with pytest.raises(ConfigError, match="systemctl start dialerd"):
        not_anothers(folder)


def test_a_state_folder_of_ones_own_is_taken(tmp_path: Path) -> None:
    not_anothers(tmp_path)

    assert tmp_path.stat().st_uid == os.geteuid()
