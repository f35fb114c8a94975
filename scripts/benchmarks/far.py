"""A provider in a process of its own: an HTTPS server whose paths behave in different ways."""

import multiprocessing
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path
from time import sleep
from typing import Any

from scripts.benchmarks.figures import folder
from tests.providers.cloud import HANGS, Fault, Says, Seen, clouded, says
from tests.reports.receiver import Authority
from tests.users import DIALERD_GID, DIALERD_UID, give

ACCOUNT, SECRET, SENDER = "AC" + "a" * 32, "c4nary", "+15005550006"
SLOW_S = 0.1
"""How long the paths /beside and /alone take to answer: what a provider on another continent does."""

FIVE, TWO_HUNDRED = (5, 1.0), (200, 60.0)
"""How many requests in how many seconds the paths /five and /two-hundred allow."""


class Far:
    """`with Far() as far`: it speaks as Twilio does. Every message that it takes is delivered at once."""

    def __enter__(self) -> "Far":
        self._stack = ExitStack()
        self.folder = give(self._stack.enter_context(folder()), DIALERD_UID, DIALERD_GID, 0o755)
        spawn = multiprocessing.get_context("spawn")
        self._line, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_serve, args=(self.folder, theirs), daemon=True)
        self._process.start()
        self.port: int = self._line.recv()
        self.ca_file = self.folder / "ca.pem"
        (self.folder / "secret").write_text(f"{SECRET}\n")
        give(self.folder / "secret", DIALERD_UID, DIALERD_GID, 0o600)
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()
        self._process.join()
        self._stack.close()

    def url(self, path: str) -> str:
        """The base URL of an account that gets what this path does."""
        return f"https://localhost:{self.port}/{path}"

    def account(self, path: str, **options: Any) -> dict[str, Any]:
        """Its section of the configuration."""
        return {
            "type": "twilio",
            "account": ACCOUNT,
            "secret_file": str(self.folder / "secret"),
            "base_url": self.url(path),
            "ca_file": str(self.ca_file),
            "sender": SENDER,
            "requests_per_minute": "",
            **options,
        }

    def count(self, path: str) -> int:
        """How many messages it took."""
        return int(self._ask(path, "count"))

    def taken(self, path: str) -> list[float]:
        """When they came (monotonic clock)."""
        return list(self._ask(path, "taken"))

    def refused(self, path: str) -> int:
        """How often it answered 429."""
        return int(self._ask(path, "refused"))

    def _ask(self, path: str, what: str) -> Any:
        self._line.send((path, what))
        return self._line.recv()


class _Path:
    """What came to one path, and what it answers; at most `count` in any `seconds`."""

    def __init__(self, count: int = 0, seconds: float = 0.0, does: Callable[[], Fault | None] = lambda: None):
        self._count, self._seconds, self._does = count, seconds, does
        self._recent: deque[float] = deque()
        self.taken: list[float] = []
        self.refused = 0

    @property
    def count(self) -> int:
        return len(self.taken)

    def answer(self, seen: Seen) -> Says | Fault:
        while self._recent and self._recent[0] <= seen.at - self._seconds:
            self._recent.popleft()
        self._recent.append(seen.at)
        if self._count and len(self._recent) > self._count:
            self.refused += 1
            return says({"code": 20429}, 429, Retry_After="1")
        self.taken.append(seen.at)
        sid = f"SM{len(self.taken):032x}"
        return self._does() or says({"sid": sid, "status": "delivered"}, 201)


def _serve(home: Path, line: Connection) -> None:
    """The process: answers, and tells by path what came, until nobody is at the other end of the line."""
    paths = {
        "plain": _Path(),
        "beside": _Path(does=lambda: sleep(SLOW_S)),
        "alone": _Path(does=lambda: sleep(SLOW_S)),
        "hangs": _Path(does=lambda: HANGS),
        "five": _Path(*FIVE),
        "two-hundred": _Path(*TWO_HUNDRED),
    }
    authority = Authority(home)
    with clouded(authority.serve("localhost"), authority.certificate) as cloud:
        cloud.otherwise = lambda seen: paths[seen.path.split("/")[1]].answer(seen)
        line.send(cloud.port)
        while True:
            try:
                path, what = line.recv()
            except EOFError:
                return
            line.send(getattr(paths[path], what))
