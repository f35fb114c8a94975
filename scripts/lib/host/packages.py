"""A made-up next release, made on the host out of the package: another version, and a further step of the
store."""

import re
from pathlib import Path

from scripts.lib.host.machine import Host

VERSION = "99.0"
STEP = """
STEPS = (*STEPS, "CREATE TABLE of_the_next_release (id INTEGER PRIMARY KEY)")
"""
TREE, MADE = "/root/next", "/root/next.deb"


def next_release(host: Host, package: str) -> str:
    """Makes it; returns its path on the host, as `package` is one. Raises Failed, LookupError."""
    host.run(["dpkg-deb", "--raw-extract", package, TREE])
    tree = host.path(TREE)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {VERSION}", control.read_text()))
    code = _code(tree)
    for name, text in (("store/schema.py", STEP), ("__init__.py", f'\n__version__ = "{VERSION}"\n')):
        with (code / name).open("a") as file:
            file.write(text)
    # Compiled as in the package, so that nothing is written beside it later.
    place = f"{TREE}/{code.relative_to(tree)}"
    compiler = [
        "python3",
        "-m",
        "compileall",
        "-q",
        "-f",
        "--invalidation-mode",
        "unchecked-hash",
        "-s",
        TREE,
        place,
    ]
    host.run(compiler)
    host.run(["dpkg-deb", "--build", "-Zgzip", "-z1", TREE, MADE])
    host.run(["rm", "-r", TREE])
    return MADE


def _code(tree: Path) -> Path:
    found = [path.parent.parent for path in tree.glob("opt/**/dialerd/store/schema.py")]
    if len(found) != 1:
        raise LookupError(f"the package has {len(found)} files dialerd/store/schema.py, not one")
    return found[0]
