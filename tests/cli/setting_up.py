"""dialerctl setup in the tests' own process, on a folder that holds a machine."""

from click.testing import CliRunner, Result

from dialerd.cli import main
from dialerd.config import Config, load
from tests.configuring import SYSTEM
from tests.setup.machines import Layout

TRUNK = ("--trunk", "main=PJSIP/{digits}@mytrunk")
USUAL = (*TRUNK, "--country", "DE", "--context", "survey", "--yes")
TOML, SECRET = "etc/dialerd/dialerd.toml", "etc/dialerd/credentials/ami_secret"


def setup(machine: Layout, *words: str) -> Result:
    result = CliRunner().invoke(main, ["setup", "--root", str(machine.root), *words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def load_toml(machine: Layout) -> Config:
    return load(machine.root / TOML, SYSTEM | {"CREDENTIALS_DIRECTORY": str((machine.root / SECRET).parent)})
