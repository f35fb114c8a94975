"""Runs on the host, as a plain user with the host's Python: hands in jobs through the socket without a pause,
each request once and on its own connection, until a file appears. Prints, as JSON, what was answered.

inside.py SOCKET NAME STOP_FILE
"""

import http.client
import json
import socket
import sys
import time
from pathlib import Path


class Unix(http.client.HTTPConnection):
    """HTTP over the socket."""

    def __init__(self, path):
        super().__init__("dialerd", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def post(path, document):
    """The status, and the id or the problem."""
    connection = Unix(path)
    try:
        connection.request("POST", "/v1/jobs", json.dumps(document), {"Content-Type": "application/json"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        return {"status": answer.status, "id": body.get("id"), "said": body.get("detail", "")}
    except (OSError, http.client.HTTPException, ValueError) as error:
        return {"status": 0, "id": None, "said": repr(error)}
    finally:
        connection.close()


def main():
    """Hands in until it is told to stop."""
    path, name, stop = sys.argv[1:]
    answers = []
    while not Path(stop).exists():
        number = len(answers) + 1
        document = {
            "to": "+12025550106",
            "play": "hello-world",
            "trunk": "sim",
            "account": f"{name}-{number}",
            "key": f"{name}-{number}",
            "batch": name,
        }
        begun = time.monotonic()
        answers.append({**post(path, document), "took": time.monotonic() - begun})
        time.sleep(0.02)
    print(json.dumps(answers))


main()
