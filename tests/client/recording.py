"""A socket that writes down what it is asked, and accepts every job."""

import json
import socketserver
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

JOB_ID = "38fw7bp020000"
DOCUMENT = "ab" * 32


@dataclass
class Asked:
    """One request."""

    method: str
    target: str
    media_type: str
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Recording:
    """A listener; `asked` are the requests, `providers` what it says of providers."""

    path: Path
    providers: list[dict[str, Any]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def __enter__(self) -> "Recording":
        recording = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = Asked(self.command, self.path, self.headers.get("Content-Type", ""), body)
                recording.asked.append(asked)
                status, document = recording.answer(asked)
                data = json.dumps(document).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = answer

            def log_message(self, *_: Any) -> None:
                pass

            def address_string(self) -> str:
                return "unix"

        self._server = _Server(str(self.path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, asked: Asked) -> tuple[int, Any]:
        if asked.target == "/v1/providers":
            return 200, {"providers": self.providers}
        if asked.target == "/v1/documents":
            return 201, {"document": DOCUMENT, "media_type": asked.media_type, "size": len(asked.body)}
        if asked.target == "/v1/jobs":
            return 201, {**asked.json, "id": JOB_ID, "state": "queued"}
        return 404, {"title": "There is nothing at this address", "status": 404}

    @property
    def job(self) -> dict[str, Any]:
        """The last job's document, without its key where that is a new one."""
        document: dict[str, Any] = next(
            each.json for each in reversed(self.asked) if each.target == "/v1/jobs"
        )
        return {name: value for name, value in document.items() if name != "key" or len(value) != 32}


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    block_on_close = False
