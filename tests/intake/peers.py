"""Requests from processes of other users, as real ones: their uid and groups are the kernel's word."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.users import ROOT

needs_root = pytest.mark.skipif(not ROOT, reason="takes several users, so root")

_ASK = """
import http.client, json, socket, sys
path, asked = sys.argv[1], json.loads(sys.argv[2])
for method, target, body in asked:
    connection = http.client.HTTPConnection("dialerd", timeout=60)
    connection.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.sock.connect(path)
    connection.request(method, target, None if body is None else json.dumps(body).encode())
    response = connection.getresponse()
    text = response.read().decode()
    found = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    print(json.dumps([response.status, found[0] if len(found) == 1 else text]))
"""


def open_to_all(path: Path) -> None:
    """Lets other users through to a path of the tests'."""
    for parent in path.parents:
        if parent != Path("/") and parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001:
            parent.chmod(parent.stat().st_mode | 0o011)


def ask_as(
    uid: int, path: Path, *asked: tuple[str, str, Any], gid: int | None = None, groups: tuple[int, ...] = ()
) -> list[tuple[int, Any]]:
    """What a process of this user is answered to each (method, target, body): status and document."""
    also = f"--groups={','.join(map(str, groups))}" if groups else "--clear-groups"
    command = ["setpriv", f"--reuid={uid}", f"--regid={gid or uid}", also, "--", sys.executable, "-c", _ASK]
    done = subprocess.run(
        [*command, str(path), json.dumps(asked)], capture_output=True, text=True, timeout=60, cwd="/"
    )
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    return [(status, document) for status, document in answers]
