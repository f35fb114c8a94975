import os
import re
from pathlib import Path

import pytest

from dialerd.config import Config, default_places, from_text, load
from dialerd.config.calls import Calls
from dialerd.config.sections import Ami, DropFolder, Queue, Socket
from dialerd.core.errors import ConfigError
from dialerd.core.policy import Rules
from tests.configuring import SYSTEM, mistakes_in


def test_without_a_file_there_are_defaults() -> None:
    config = from_text("", SYSTEM)

    assert config == Config(
        state_dir=Path("/var/lib/dialerd"),
        socket=Socket(path=Path("/run/dialerd/dialerd.sock")),
        drop_folder=DropFolder(path=Path("/var/spool/dialerd")),
    )
    assert (config.socket.mode, config.asterisk.longest_call, config.ami) == (0o660, 14400, None)
    assert config.rules() == Rules()


EVERYTHING = """
state_dir = "/srv/queue"
log = { level = "debug", format = "json" }
socket = { path = "/run/d.sock", mode = "0600", group = "callers" }
drop_folder = { path = "/srv/drop", enabled = false }
asterisk = { spool = "/srv/asterisk", user = "pbx", longest_call = "1h30m", max_calls = 7 }
ami = { host = "::1", port = 5039, username = "me", secret_file = "/secret/file" }
[queue]
max_jobs = 5
min_free_mb = 1
keep = ""
redact_after = "30d"
held_limit = "2h"
due_limit = "3h"
[calls]
default_country = "US"
default_trunk = "a"
applications = ["Playback", "AGI"]
functions = ["CDR"]
channels = ["PJSIP/*"]
contexts = ["survey"]
ring_context = "ring"
[trunks.a]
channel = "Local/{extension}@from-internal"
extensions = ["1XXX", "2XX"]
[trunks.b]
channel = "PJSIP/{digits}@b"
extensions = "7X"
"""


def test_every_option_reaches_its_setting(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.touch(0o600)
    secret.write_text("a long, random word\r\n")
    path = tmp_path / "dialerd.toml"
    path.write_text(EVERYTHING.replace("/secret/file", str(secret)))

    config = load(path, {})

    assert (config.log.level, config.log.format) == ("debug", "json")
    assert config.socket == Socket(path=Path("/run/d.sock"), mode="0600", group="callers")
    assert config.queue == Queue(
        max_jobs=5, min_free_mb=1, keep="", redact_after="30d", held_limit="2h", due_limit="3h"
    )
    assert (config.queue.keep, config.queue.redact_after) == (None, 30 * 86400)
    assert (config.queue.held_limit, config.queue.due_limit) == (2 * 3600, 3 * 3600)
    assert config.drop_folder == DropFolder(path=Path("/srv/drop"), enabled=False)
    assert (config.state_dir, config.asterisk.spool) == (Path("/srv/queue"), Path("/srv/asterisk"))
    assert (config.asterisk.user, config.asterisk.longest_call, config.asterisk.max_calls) == ("pbx", 5400, 7)
    assert config.ami is not None
    assert (config.ami.host, config.ami.port, config.ami.username) == ("::1", 5039, "me")
    assert config.ami.secret == "a long, random word"
    rules = config.rules()
    assert (rules.default_country, rules.default_trunk, rules.ring_context) == ("US", "a", "ring")
    assert (rules.applications, rules.functions, rules.channels, rules.contexts) == (
        ("Playback", "AGI"),
        ("CDR",),
        ("PJSIP/*",),
        ("survey",),
    )
    patterns = [trunk.extensions for trunk in rules.trunks.values()]
    assert [bool(pattern and pattern.fullmatch("1234")) for pattern in patterns] == [True, False]


def test_all_mistakes_come_at_once_with_their_keys() -> None:
    found = mistakes_in(
        """
        stat_dir = "/x"
        [socket]
        path = "run/d.sock"
        mode = 660
        [log]
        level = "verbose"
        [queue]
        max_jobs = 0
        min_free_mb = "1"
        [asterisk]
        longest_call = 4
        user = "a b"
        [ami]
        port = 70000
        [calls]
        default_country = "Germany"
        default_trunk = "provder"
        applications = 3
        [trunks.provider]
        channel = "PJSIP/{digit}@provider"
        [trunks.other]
        channel = "PJSIP/{digits}@provider"
        extensions = "_1XX"
        """
    )

    assert set(found) == {
        "stat_dir",
        "socket.path",
        "socket.mode",
        "log.level",
        "queue.max_jobs",
        "queue.min_free_mb",
        "asterisk.longest_call",
        "asterisk.user",
        "ami.port",
        "ami.secret_file",
        "calls.default_country",
        "calls.default_trunk",
        "calls.applications",
        "trunks.provider",
        "trunks.other.extensions",
    }
    assert all(what.endswith((".", "?", "-")) for what in found.values())


@pytest.mark.parametrize(
    ("text", "where", "sentence"),
    [
        ("stat_dir = '/x'", "stat_dir", 'Did you mean "state_dir"'),
        ("[sockets]", "sockets", 'Did you mean "socket"'),
        ("[ami]\nsecret = 'x'", "ami.secret", 'Did you mean "secret_file"'),
        ("[calls]\ncountry = 'DE'", "calls.country", 'Did you mean "default_country"'),
        ("[trunks.a]\nchanel = 'x'", "trunks.a.chanel", 'Did you mean "channel"'),
        ("[trunks.a]\nextensions = '1X'", "trunks.a.channel", "needed"),
        ("state_dir = 3", "state_dir", "a path in quotes"),
        ("state_dir = 'x'", "state_dir", "whole path"),
        ("state_dir = '/x\\u0000'", "state_dir", None),
        ("socket = 3", "socket", "an object"),
        (f"socket.path = '/{'x' * 107}'", "socket.path", "at most 107 bytes"),
        ("socket.mode = '0888'", "socket.mode", "octal"),
        ("socket.mode = '7777'", "socket.mode", "octal"),
        ("drop_folder.enabled = 'yes'", "drop_folder.enabled", "true or false"),
        ("drop_folder.enabled = 1", "drop_folder.enabled", "true or false"),
        ("asterisk.longest_call = '4'", "asterisk.longest_call", "Is 4s meant"),
        ("asterisk.longest_call = '59s'", "asterisk.longest_call", "between 1m and 7d"),
        ("asterisk.max_calls = 1.5", "asterisk.max_calls", "whole number"),
        ("calls.default_country = 'de'", "calls.default_country", 'Did you mean "DE"'),
        ("calls.default_trunk = 'a'", "calls.default_trunk", "no [trunks.a], none at all"),
        ("calls.hours = 'offce'\n[hours.office]\nwindows = 'always'", "calls.hours", 'Did you mean "office"'),
        ("calls.retry = 'patient'", "calls.retry", "no [retry.patient], none at all"),
        ("calls.destinations = ['UK']", "calls.destinations", 'Did you mean "GB"'),
        ("calls.timezone = 'Berlin'", "calls.timezone", "no time zone"),
        ("calls.expire_after = '30s'", "calls.expire_after", "between 1m and 366d"),
        ("routes = [{ destinations = 'DE', trunks = 'a' }]", "routes.0.trunks", "no [trunks.a]"),
        ("routes = [{ destinations = [], trunks = 'a' }]", "routes.0", "leads nowhere"),
        ("routes = [{ destination = 'DE', trunks = 'a' }]", "routes.0.destination", '"destinations"'),
        ("[trunks.a]\nchannel = 'PJSIP/{digits}'\nreserved_channels = 1", "trunks.a", "part of max_channels"),
        ("[trunks.a]\nchannel = 'PJSIP/{digits}'\nreserved_rate = 1", "trunks.a", "part of calls_per_second"),
        ("[caps.owner]\nspend_per_day = 12.5", "caps.owner.spend_per_day", 'in quotes, such as "12.5"'),
        ("[caps]\nowners = {}", "caps.owners", 'Did you mean "owner"'),
        ("[roles.staff]\nmay = 'operat'\nusers = [1]", "roles.staff.may.0", 'Did you mean "operate"'),
        ("[webhooks.a]\nurl = 'http://a.example'", "webhooks.a", "allow_private"),
        ("[hooks.a]\ncommand = 'mail me'", "hooks.a.command", "whole path"),
        ("queue.keep = '1m'", "queue.keep", "between 1h and 3660d"),
        ("calls.ring_context = 'a,b'", "calls.ring_context", "letters, digits"),
        ("calls.channels = ['']", "calls.channels.0", "empty"),
        ("[trunks.'a b']\nchannel = 'PJSIP/{digits}'", "trunks.a b", "name"),
        ("[trunks.a]\nchannel = 'PJSIP/{digits},30'", "trunks.a", "Technology/Destination"),
        ("[trunks.a]\nchannel = 'Local/{extension}@x'", "trunks.a", "takes none"),
        ("[trunks.a]\nchannel = 'PJSIP/{digits}'\nextensions = '1A'", "trunks.a.extensions", "pattern"),
        ("trunks = []", "trunks", "an object"),
        ("[ami]\nsecret_file = '/nowhere/secret'", "ami.secret_file", "can't be read: No such file"),
        ("[ami]", "ami.secret_file", "systemd's credential ami_secret"),
        ("log.level = 'inf'", "log.level", 'Did you mean "info"'),
        ("a = b", "", "line 1, column 5"),
        ("[log]\nlevel = 'info'\nlevel = 'info'", "", "not TOML"),
        ("x = " + "[" * 10_000, "", None),
    ],
)
def test_a_mistake_is_named_with_its_key_and_a_sentence(text: str, where: str, sentence: str | None) -> None:
    found = mistakes_in(
        text.encode().decode("unicode_escape") if sentence is None and "\\u" in text else text
    )

    if sentence is None:
        assert found
        return
    assert where in found
    assert sentence in found[where]


@pytest.mark.parametrize("content", [b"\xff", b"x" * (1024 * 1024 + 1)])
def test_a_file_that_can_not_be_toml_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dialerd.toml"
    path.write_bytes(content)

    with pytest.raises(ConfigError, match=re.escape(str(path))):
        load(path, {})


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    path = tmp_path / "dialerd.toml"
    path.write_bytes(b"\xef\xbb\xbf[queue]\nmax_jobs = 5\n")

    assert load(path, {}).queue.max_jobs == 5


@pytest.mark.parametrize("name", ["missing.toml", "."])
def test_a_named_file_must_be_readable(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="can't be read"):
        load(tmp_path / name, {})


def test_systemds_folders_are_the_defaults() -> None:
    config = from_text("", {"STATE_DIRECTORY": "/srv/a:/srv/b", "RUNTIME_DIRECTORY": "/run/c"})

    assert (config.state_dir, config.socket.path) == (Path("/srv/a"), Path("/run/c/dialerd.sock"))


@pytest.mark.parametrize(
    ("environ", "places"),
    [
        ({"HOME": "/h"}, ("/h/.local/state/dialerd", "/h/.local/state/dialerd/dialerd.sock")),
        (
            {"XDG_STATE_HOME": "/s", "XDG_RUNTIME_DIR": "/run/user/1"},
            ("/s/dialerd", "/run/user/1/dialerd/dialerd.sock"),
        ),
        ({"XDG_STATE_HOME": "/s", "RUNTIME_DIRECTORY": "/run/r"}, ("/s/dialerd", "/run/r/dialerd.sock")),
    ],
)
def test_a_user_has_folders_of_his_own(environ: dict[str, str], places: tuple[str, str]) -> None:
    state, socket, drop = default_places(environ, system=False)

    assert ((state, socket), drop) == (places, f"{state}/spool")


def test_settings_can_not_be_changed() -> None:
    config = from_text("", SYSTEM)

    with pytest.raises(ValueError, match="frozen"):
        config.queue.max_jobs = 1  # type: ignore[misc]


def test_no_section_ami_means_no_secret_is_looked_for() -> None:
    assert from_text("", SYSTEM).ami is None
    assert (Ami().host, Ami().port) == ("127.0.0.1", 5038)


def test_the_safe_default_allows_playback_and_nothing_else() -> None:
    calls = Calls()

    assert calls.applications == ("Playback",)
    assert calls.functions == calls.channels == calls.contexts == ()


def test_a_pipe_in_the_files_place_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "dialerd.toml")

    with pytest.raises(ConfigError, match="is a pipe"):
        load(tmp_path / "dialerd.toml")
