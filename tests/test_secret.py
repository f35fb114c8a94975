import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from dialerd import secret
from dialerd.config import from_text
from dialerd.core.errors import ConfigError, Mistake
from dialerd.secret import as_the_service, read_secret
from tests.configuring import SYSTEM, credentials_in, mistakes_in
from tests.users import as_dialerd


def test_a_secret_is_not_shown(tmp_path: Path) -> None:
    config = from_text("[ami]", credentials_in(tmp_path))

    assert config.ami is not None
    assert config.ami.secret == "s3cret"
    assert "s3cret" not in f"{config!r} {config} {config.model_dump_json()} {config.ami!r}"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_secret_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_text("s3cret")
    path.chmod(mode)

    found = mistakes_in(f"[ami]\nsecret_file = '{path}'")

    assert f"chmod 0600 {path}" in found["ami.secret_file"]
    assert "s3cret" not in str(found)


@pytest.mark.parametrize("content", ["", "\n", "two\nlines", "bell\a", "x" * 4097])
def test_a_secret_that_is_not_one_line_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_text(content)

    assert "one line" in mistakes_in(f"[ami]\nsecret_file = '{path}'")["ami.secret_file"]


def test_a_fifo_in_place_of_a_secret_does_not_hang_the_start(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    os.mkfifo(path, 0o600)

    assert "is not a file" in mistakes_in(f"[ami]\nsecret_file = '{path}'")["ami.secret_file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_secret_of_somebody_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    path.write_text("s3cret")
    os.chown(path, 12345, 12345)

    assert "belongs to user 12345" in mistakes_in(f"[ami]\nsecret_file = '{path}'")["ami.secret_file"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize(("owner", "right"), [("nobody", True), ("root", False)])
def test_root_who_looks_from_outside_judges_a_secret_as_the_services_user_would(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: str, right: bool
) -> None:
    monkeypatch.setattr(secret, "SERVICE_USER", "nobody")
    monkeypatch.setattr(secret, "_OF_SERVICE", str(tmp_path))
    path = tmp_path / "named"
    path.touch(0o600)
    path.write_text("s3cret")
    os.chown(path, pwd.getpwnam(owner).pw_uid, 0)
    mistakes: list[Mistake] = []
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    found = read_secret({"secret_file": str(path)}, "ami", "ami_secret", environ, mistakes)

    assert (found == "s3cret") is right
    assert [f"chown nobody {path}" in each.what for each in mistakes] == [True] * (not right)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_who_may_not_read_a_secret_is_told_whose_it_must_be(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.touch(0o600)
    code = (
        "import sys; from dialerd.secret import read_secret; mistakes = [];"
        "read_secret({'secret_file': sys.argv[1]}, 'ami', 'ami_secret', {}, mistakes); print(mistakes[0])"
    )

    told = subprocess.run(
        [*as_dialerd(""), sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    ).stdout

    assert "can't be read: Permission denied" in told
    assert f"chown dialerd {path}" in told


def test_a_credential_of_systemd_may_show_a_group_bit(tmp_path: Path) -> None:
    credentials = credentials_in(tmp_path)
    (tmp_path / "ami_secret").chmod(0o440)

    assert read_secret({}, "ami", "ami_secret", credentials, []) == "s3cret"


def test_who_starts_dialerd_by_hand_is_told_that_credentials_are_the_services(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    by_hand = mistakes_in("[ami]")["ami.secret_file"]
    with pytest.raises(ConfigError) as as_service:
        from_text("[ami]", SYSTEM | {"CREDENTIALS_DIRECTORY": str(tmp_path / "empty")})

    assert "systemctl start dialerd" in by_hand
    assert "systemctl start" not in str(as_service.value)


def test_a_named_file_goes_before_a_credential(tmp_path: Path) -> None:
    path = tmp_path / "named"
    path.touch(0o600)
    path.write_text("another")

    found = read_secret({"secret_file": str(path)}, "ami", "ami_secret", credentials_in(tmp_path), [])

    assert found == "another"


@pytest.mark.parametrize("credential", ["other_secret", "../ami_secret"])
def test_without_file_and_credential_there_is_no_secret(tmp_path: Path, credential: str) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    environ = credentials_in(tmp_path) | {"CREDENTIALS_DIRECTORY": str(folder)}
    mistakes: list[Mistake] = []

    secret = read_secret({}, "x", credential, environ, mistakes)

    assert (secret, mistakes) == (None, [])


def test_a_credential_of_the_folder_that_the_service_hands_over_is_found(tmp_path: Path) -> None:
    (tmp_path / "dialerd_ami_secret").write_text("of the folder\n")

    config = from_text("[ami]", {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert config.ami is not None
    assert config.ami.secret == "of the folder"


def test_a_credential_of_its_own_name_goes_before_the_folders(tmp_path: Path) -> None:
    (tmp_path / "dialerd_ami_secret").write_text("of the folder\n")
    (tmp_path / "ami_secret").write_text("its own\n")

    config = from_text("[ami]", {"CREDENTIALS_DIRECTORY": str(tmp_path)})

    assert config.ami is not None
    assert config.ami.secret == "its own"


def test_who_looks_from_outside_sees_the_secrets_of_the_service(tmp_path: Path) -> None:
    (tmp_path / "ami_secret").write_text("s3cret")

    environ = as_the_service({"LANG": "C"}, str(tmp_path))

    assert read_secret({}, "ami", "ami_secret", environ, []) == "s3cret"


def test_what_systemd_hands_over_goes_before_the_folder_of_the_service(tmp_path: Path) -> None:
    handed_over = {"CREDENTIALS_DIRECTORY": "/run/credentials/dialerd.service"}

    assert as_the_service(handed_over, str(tmp_path)) == handed_over


def test_who_may_not_look_into_the_folder_of_the_service_goes_without(tmp_path: Path) -> None:
    assert as_the_service({"LANG": "C"}, str(tmp_path / "none")) == {"LANG": "C"}
