"""What the tests of the configuration share."""

from pathlib import Path

import pytest

from dialerd.config import from_text
from dialerd.core.errors import ConfigError

SYSTEM = {"STATE_DIRECTORY": "/var/lib/dialerd"}
"""As systemd calls it: then the defaults do not depend on who runs the tests."""


def mistakes_in(text: str) -> dict[str, str]:
    """Every mistake in a configuration, by its key."""
    with pytest.raises(ConfigError) as caught:
        from_text(text, SYSTEM)
    return {mistake.where: mistake.what for mistake in caught.value.mistakes}


def credentials_in(folder: Path) -> dict[str, str]:
    """The environment with a folder of systemd's credentials, AMI's secret in it."""
    (folder / "ami_secret").write_text("s3cret\n")
    return SYSTEM | {"CREDENTIALS_DIRECTORY": str(folder)}
