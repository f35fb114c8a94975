"""The container's files: what they name exists, and they agree with each other. No engine is needed."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from dialerd.cli import main as dialerctl
from dialerd.config import from_text
from dialerd.daemon import main as dialerd

PROJECT = Path(__file__).parent.parent.parent
FOLDER = PROJECT / "packaging" / "container"
WRITTEN_BY_THE_USER = {"./ami_secret", "./manager.dialerd.conf", "./pjsip.conf"}


def steps() -> list[tuple[str, str]]:
    """The instructions of the Containerfile, each with its arguments."""
    lines = [line for line in (FOLDER / "Containerfile").read_text().splitlines() if not line.startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    pairs = (line.split(None, 1) for line in joined.splitlines() if line.strip())
    return [(word, rest) for word, rest in pairs]


def copied() -> list[str]:
    """What is copied out of the tree."""
    found = (rest.split() for word, rest in steps() if word == "COPY" and not rest.startswith("--from="))
    return [each for words in found for each in words[:-1] if not each.startswith("--")]


def compose() -> Any:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


def mounts(service: str) -> list[tuple[str, str]]:
    """What of the machine or of a volume is seen where, in either way of writing it."""
    written = compose()["services"][service]["volumes"]
    pairs = (
        each.split(":")[:2] if isinstance(each, str) else (each["source"], each["target"]) for each in written
    )
    return [(source, target) for source, target in pairs]


def settings(name: str) -> list[str]:
    """The lines of one of our samples for Asterisk that say something."""
    lines = (PROJECT / "etc" / "asterisk" / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith(";")]


def test_what_is_copied_exists_and_is_let_through() -> None:
    allowed = (FOLDER / "Containerfile.dockerignore").read_text().splitlines()

    assert [name for name in copied() if not (PROJECT / name).exists()] == []
    assert [name for name in copied() if f"!{name}" not in allowed] == []


@pytest.mark.parametrize("target", ["asterisk", "dialerd"])
def test_each_image_of_the_compose_file_is_in_the_containerfile(target: str) -> None:
    build = compose()["services"][target]["build"]

    assert (FOLDER / build["context"] / build["dockerfile"]).resolve() == FOLDER / "Containerfile"
    assert any(word == "FROM" and rest.endswith(f" AS {build['target']}") for word, rest in steps())


def test_dialerd_is_not_root_and_has_one_capability() -> None:
    service = compose()["services"]["dialerd"]

    begin = steps().index(("FROM", "docker.io/library/debian:trixie-slim AS dialerd"))
    end = steps().index(("FROM", "docker.io/library/debian:sid-slim AS asterisk"))
    assert ("USER", "dialerd") in steps()[begin:end]
    assert (service["cap_drop"], service["cap_add"], service["read_only"]) == (["ALL"], ["CHOWN"], True)
    assert "security_opt" not in service  # no-new-privileges would ignore the file's capability


def test_every_volume_is_declared_and_every_file_is_there_or_described() -> None:
    read = compose()
    sources = {source for service in read["services"] for source, _ in mounts(service)} | {
        secret["file"] for secret in read["secrets"].values()
    }
    files = {source for source in sources if source.startswith(".")}

    assert sources - files == set(read["volumes"])
    assert {name for name in files if not (FOLDER / name).exists()} == WRITTEN_BY_THE_USER
    text = (FOLDER / "compose.yaml").read_text()
    assert [name for name in WRITTEN_BY_THE_USER if f"#   {name.removeprefix('./')} " not in text] == []


def test_dialerd_writes_to_volumes_only() -> None:
    mounted = {target for _, target in mounts("dialerd")}

    assert {"/var/spool/asterisk", "/var/lib/dialerd", "/var/spool/dialerd", "/run/dialerd"} <= mounted


def test_the_configuration_loads_and_names_the_images_user(tmp_path: Path) -> None:
    text = (FOLDER / "dialerd.toml").read_text()
    (tmp_path / "ami_secret").write_text("a-long-random-word")

    found = from_text(text, {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert ("ARG", f"ASTERISK_UID={found.asterisk.user}") in steps()
    assert "secret_file" not in tomllib.loads(text)["ami"]


def test_the_commands_in_the_image_have_their_options() -> None:
    arguments = [json.loads(rest) for word, rest in steps() if word == "CMD" and "--config" in rest]
    health = next(
        json.loads(rest.split("CMD ")[1])
        for word, rest in steps()
        if "dialerctl" in rest and word == "HEALTHCHECK"
    )

    assert arguments
    dialerd.make_context("dialerd", [*arguments[0], "--check"])
    status = dialerctl.get_command(dialerctl.make_context("dialerctl", ["status"]), health[1])
    assert health[0] == "dialerctl"
    assert status is not None
    status.make_context("status", health[2:])


@pytest.mark.parametrize("target", ["asterisk", "dialerd"])
def test_amis_loopback_address_is_still_shared_after_a_restart_of_either(target: str) -> None:
    """Who joins another container's network loses it when that one restarts."""
    service = compose()["services"][target]

    assert service["network_mode"] == "host"
    assert "ports" not in service
    assert "permit = 127.0.0.1/255.255.255.255" in settings("manager.dialerd.conf")


def test_a_file_that_is_missing_is_told_and_no_folder_is_made_in_its_place() -> None:
    written = [each for service in compose()["services"].values() for each in service["volumes"]]
    files = [each for each in written if not isinstance(each, str)]

    assert [each for each in written if isinstance(each, str) and each.startswith(".")] == []
    assert [each for each in files if each["bind"]["create_host_path"] or not each["read_only"]] == []


def test_dialerd_is_not_process_one() -> None:
    """Process 1 does not get a SIGTERM that it has not asked for yet: a stop would take 2 minutes."""
    assert compose()["services"]["dialerd"]["init"] is True


def test_the_dialplan_for_several_phones_is_in_the_image() -> None:
    commands = [rest for word, rest in steps() if word == "RUN"]

    assert "etc/asterisk/extensions.dialerd.conf" in copied()
    assert any("#tryinclude extensions.dialerd.conf" in command for command in commands)
