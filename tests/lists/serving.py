"""The routes about lists on a real socket, before real lists in files."""

import asyncio
import os
import threading
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from aiohttp import web

from dialerd.core.model import Draft
from dialerd.core.policy import Rules
from dialerd.core.roles import Permits, Right, Role, Roles, with_included
from dialerd.intake.api.connection import Connection, Guard
from dialerd.intake.api.events import Bell
from dialerd.intake.api.extras import Extras
from dialerd.intake.api.routes import Routes
from dialerd.intake.api.settings import ApiSettings
from dialerd.lists import ListFile, Rates, StopLists
from tests.intake.desk import MemoryDesk
from tests.intake.serving import RULES, Served

RATES = "prefix,per_minute,connect,increment,trunk\n+49,0.02,,,\n+4930,0.01,0.1,1,cheap\n"


class ServedLists(Served):
    """Two lists, `opt-out` (of dialerd's own) and `law` (read only), and a rate table."""

    def __init__(self, folder: Path, right: Right | None = None, **settings: Any) -> None:
        self.path, self.desk = folder / "s", MemoryDesk()
        role = Role("test", users=frozenset({os.geteuid()}), rights=with_included([right or Right.ADMIN]))
        self.permits = Permits(RULES, Roles((role,), admins=frozenset()))
        self.settings = ApiSettings(self.path, **settings)
        self.opt_out, law, rates = folder / "opt-out.txt", folder / "law.txt", folder / "rates.csv"
        law.write_text("+4989123456,by law\n")
        rates.write_text(RATES)
        self.stop_lists = StopLists(
            [
                ListFile("opt-out", self.opt_out, "asked not to be called", writable=True, own=True),
                ListFile("law", law, "a register"),
            ],
            "DE",
        )
        self.rates = Rates(rates)
        self.stop_lists.load()
        self.rates.load()
        self._ready: Future[asyncio.AbstractEventLoop] = Future()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    def __enter__(self) -> "ServedLists":
        self._thread.start()
        self._loop = self._ready.result(60)
        return self

    def __exit__(self, *error: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()
        self.desk.close()

    async def _serve(self) -> None:
        self._over, bell = asyncio.Event(), Bell(self.desk)
        extras = Extras(lambda: self, NoReports())
        server = web.Server(Routes(self.settings, self.desk, _nothing, bell, extras))
        guard = Guard(self.settings)

        def connect() -> Connection:
            options = {"access_log": None, "auto_decompress": False, "lingering_time": 0.2}
            return Connection(server, guard, lambda: self.permits, **options)

        acceptor = await asyncio.get_running_loop().create_unix_server(connect, str(self.path))
        self._ready.set_result(asyncio.get_running_loop())
        await self._over.wait()
        acceptor.close()
        bell.close()
        server.pre_shutdown()
        await server.shutdown(1.0)


class NoReports:
    """A reporter that nobody is told by."""

    def listing(self, *_asked: Any) -> list[Any]:
        return []

    def figures(self) -> dict[str, Any]:
        return {}

    def retry(self, sink: str | None = None) -> int:
        return 0


def _nothing(_value: Any, _rules: Rules) -> list[Draft]:
    return []
