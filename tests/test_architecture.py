"""The shape of the code: who may import whom, one owner for each foreign library, how large things may be."""

import ast
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parent.parent
PACKAGE = PROJECT / "dialerd"
MODULES = sorted(PACKAGE.rglob("*.py"))
PYTHON = MODULES + sorted((PROJECT / "tests").rglob("*.py"))
TOPS = [path for path in PROJECT.iterdir() if not path.name.startswith(".")]
DOCUMENTS = sorted(
    [*PROJECT.glob("*.md"), *(found for top in TOPS if top.is_dir() for found in top.rglob("*.md"))]
)

LONGEST_FILE = 350
LONGEST_FUNCTION = 60

MAY_IMPORT = {
    "core": {"core"},
    "store": {"store", "core", "log"},
    "intake": {"intake", "core", "log", "watch"},
    "pbx": {"pbx", "core", "log", "watch"},
    "lists": {"lists", "core", "log"},
    "reports": {"reports", "core", "http", "log"},
    "providers": {"providers", "core", "http", "log"},
    "http": {"http", "core"},
    "checks": {"checks", "config", "core", "log", "pbx"},
    "complaints": {"complaints", "log"},
    "documents": {"documents", "core", "log"},
    "durable": {"durable"},
    "inventory": {"inventory", "core", "durable", "log"},
    "callbacks": {"callbacks", "core", "durable", "intake", "providers"},
    "cloud": {
        "cloud",
        "callbacks",
        "core",
        "documents",
        "intake",
        "inventory",
        "log",
        "providers",
        "rulebook",
    },
    "engine": {"engine", "core", "store", "log"},
    "keeping": {"keeping", "core", "store", "lock", "log"},
    "rulebook": {"rulebook", "config", "core", "engine", "lists", "log", "secret"},
    "reloading": {"reloading", "config", "core", "log", "rulebook"},
    "client": {"client"},
    "metrics": {"metrics", "core", "engine", "store"},
    "measuring": {"measuring", "cloud", "engine", "metrics", "reloading", "reports", "store"},
    "log": {"log", "core", "journal"},
    "journal": {"journal"},
    "systemd": {"systemd", "core", "log"},
    "units": {"units", "core", "log"},
    "watch": {"watch", "core", "log"},
    "config": {"config", "secret", "core", "log", "providers"},
    "secret": {"secret", "core"},
    "setup": {"setup", "config", "core"},
    "lock": {"lock", "core"},
}
"""Parts of dialerd by the parts that they may import. `daemon` (with `building`) and `cli` may import all."""

OWNERS = {
    "aiohttp": ["intake/api", "intake/listener"],
    "asterisk": ["pbx/ami.py"],
    "click": ["cli", "daemon.py"],
    "holidays": ["core/public_holidays.py"],
    "phonenumbers": ["core/numbers.py"],
    "pydantic": ["intake/document.py", "intake/fields.py", "config", "core/sentences.py"],
    "prometheus_client": ["metrics"],
    "pystemd": ["systemd.py", "units.py"],
    "cryptography": ["providers/ed25519.py"],
    "requests": ["http"],
    "rich": ["cli"],
    "standardwebhooks": ["reports/signing.py"],
    "structlog": ["log.py"],
    "urllib3": ["http"],
    "watchdog": ["watch.py"],
}
"""Foreign libraries by the files (or folders) that know them."""

CATCH_ALL = {
    "checks/running.py",
    "engine/engine.py",
    "engine/worker.py",
    "intake/api/routes.py",
    "intake/dropbox.py",
    "lists/looking.py",
    "pbx/ami.py",
    "providers/pool.py",
    "reloading.py",
    "reports/reporter.py",
}
"""Where `except Exception` may stand without raising again: outermost frames of threads, requests and
files."""


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE if path.is_relative_to(PACKAGE) else PROJECT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[str]:
    """The full names of the modules that a file imports, wherever in the file it does."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(path)}:{node.lineno}: write the whole name of what is imported"
            assert node.module is not None
            yield node.module
            if node.module == "dialerd":
                yield from (
                    f"dialerd.{alias.name}" for alias in node.names if not alias.name.startswith("__")
                )


def part_of(path: Path) -> str:
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_parts_import_only_what_the_table_allows(path: Path) -> None:
    part = part_of(path)
    ours = {name.split(".")[1] for name in imports(path) if name.startswith("dialerd.")}

    if part in ("daemon", "building", "cli", "__init__"):
        return
    assert ours <= MAY_IMPORT[part]


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_each_foreign_library_has_one_owner(path: Path) -> None:
    foreign = {name.partition(".")[0] for name in imports(path)} - sys.stdlib_module_names - {"dialerd"}

    owned = {
        library
        for library, owners in OWNERS.items()
        if any(Path(name_of(path)).is_relative_to(owner) for owner in owners)
    }

    assert foreign <= owned


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_no_file_is_too_long(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_no_function_is_too_long(path: Path) -> None:
    sizes = {
        f"{node.name}:{node.lineno}": (node.end_lineno or 0) - node.lineno + 1
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }

    assert {name: size for name, size in sizes.items() if size > LONGEST_FUNCTION} == {}


def catch_alls(path: Path) -> Iterator[int]:
    """The lines of handlers that swallow every exception."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ExceptHandler):
            caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
            wide = any(each is None or ast.unparse(each) in ("Exception", "BaseException") for each in caught)
            if wide and not isinstance(node.body[-1], ast.Raise):
                yield node.lineno


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_everything_is_caught_only_in_outermost_frames(path: Path) -> None:
    if name_of(path) not in CATCH_ALL:
        assert list(catch_alls(path)) == []


@pytest.mark.parametrize("path", PYTHON[len(MODULES) :], ids=name_of)
def test_tests_wait_on_conditions_and_never_sleep(path: Path) -> None:
    naps = [
        node.lineno
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("time.sleep", "sleep")
    ]

    assert naps == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_documents_link_to_files_that_are_there(path: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", path.read_text())
    local = [link for link in links if "://" not in link and not link.startswith("mailto:")]

    assert [link for link in local if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.relative_to(PROJECT).as_posix())
def test_documents_name_tests_that_are_there(path: Path) -> None:
    named = re.findall(r"`(test_\w+\.py)::(test_\w+)`", path.read_text())
    there = {
        (file.name, name)
        for file in (PROJECT / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE)
    }
    assert [pair for pair in named if pair not in there] == []
