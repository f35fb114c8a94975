"""The demonstration that the README promises, run as a newcomer runs it."""

import os
import subprocess
import sys

import pytest

from tests.asterisk import PROJECT, asterisk_root


@pytest.mark.parametrize("options", [[], ["--fake"]])
def test_every_call_of_the_demo_comes_to_what_it_should(options: list[str]) -> None:
    env = {**os.environ, "ASTERISK_ROOT": str(asterisk_root(22)), "PYTHONPATH": str(PROJECT)}

    done = subprocess.run(
        [sys.executable, str(PROJECT / "scripts" / "lib" / "demo.py"), *options],
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "all is stopped and cleaned up" in done.stdout
    assert ("made up by the fake" in done.stdout) == bool(options)
