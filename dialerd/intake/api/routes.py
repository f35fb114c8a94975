"""Which address leads where, and how every error becomes a problem document."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from dialerd.core.errors import DialerError, NoSuchJob
from dialerd.core.meters import NOBODY
from dialerd.core.texts import nearest
from dialerd.intake.api import body
from dialerd.intake.api.backups import backup_table
from dialerd.intake.api.batch import Batch
from dialerd.intake.api.check import Check
from dialerd.intake.api.connection import Connection
from dialerd.intake.api.desk import Desk
from dialerd.intake.api.documents import Uploads
from dialerd.intake.api.events import Bell, Events
from dialerd.intake.api.extras import Extras
from dialerd.intake.api.figures import FigureRoutes
from dialerd.intake.api.jobs import VERBS, Jobs, Parse, answer, is_job_id
from dialerd.intake.api.lists import Lists
from dialerd.intake.api.metrics import metrics_table
from dialerd.intake.api.openapi import openapi
from dialerd.intake.api.orders import Orders
from dialerd.intake.api.problems import Problem, from_error, overloaded, respond
from dialerd.intake.api.providers import Providers
from dialerd.intake.api.reports import Reports
from dialerd.intake.api.settings import ApiSettings
from dialerd.intake.api.whoami import whoami
from dialerd.log import get_logger

log = get_logger(__name__)
_BUG = "dialerd made a mistake of its own; its log says more. Ask again with the same key."
_Handler = Callable[[web.BaseRequest, str], Awaitable[web.StreamResponse]]


class Routes:
    """Answers requests. Called by aiohttp once a request's head is here."""

    def __init__(
        self, settings: ApiSettings, desk: Desk, parse: Parse, bell: Bell, extras: Extras | None = None
    ) -> None:
        lists = None if extras is None else Lists(settings, extras.book)
        self._meters = NOBODY if extras is None else extras.meters
        reports = None if extras is None else Reports(settings, extras.reporter)
        self._desk, self._lists = desk, lists
        self._providers = None
        if extras is not None and extras.accounts is not None:
            self._providers = Providers(settings, desk, extras.accounts, extras.inventory, extras.addresses)
        uploads = None
        if extras is not None and extras.documents is not None:
            uploads = Uploads(settings, extras.documents)
        self._jobs = Jobs(settings, desk, parse)
        self._orders = Orders(settings, desk)
        self._figures = FigureRoutes(settings, desk, self._jobs.page)
        self._table: dict[str, dict[str, _Handler]] = {
            "/v1/jobs": {"POST": self._jobs.submit, "GET": self._figures.page},
            "/v1/jobs/batch": {"POST": Batch(settings, desk, parse, self._meters).stream},
            "/v1/events": {"GET": Events(settings, desk, bell).stream},
            "/v1/status": {"GET": self._status},
            "/v1/whoami": {"GET": whoami},
            "/healthz": {"GET": self._healthz},
            "/openapi.json": {"GET": self._describe},
            **(metrics_table(extras.metrics) if extras is not None else {}),
            **(backup_table(settings, extras.backup) if extras is not None else {}),
            **(Check(extras.look).table if extras is not None and extras.look is not None else {}),
            **self._orders.table,
            **self._figures.table,
            **(lists.table if lists is not None else {}),
            **(reports.table if reports is not None else {}),
            **(uploads.table if uploads is not None else {}),
            **(self._providers.table if self._providers is not None else {}),
        }

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        """The answer, whatever happens.

        What is none of our errors is a bug: logged, and answered with 500.
        """
        connection = request.protocol
        assert isinstance(connection, Connection)
        try:
            connection.begin()
            path, _, query = request.raw_path.partition("?")
            return await self._handler(request.method, path)(request, query)
        except Problem as problem:
            if problem.close:
                connection.end_for_good()
            return respond(problem)
        except DialerError as error:
            self._meters.refused("socket", error)
            return respond(from_error(error))
        except ConnectionError:
            raise
        except Exception:
            log.exception("request_failed", method=request.method, path=request.path[:200])
            return respond(Problem(500, "bug", _BUG))
        finally:
            connection.end()

    def _handler(self, method: str, path: str) -> _Handler:
        methods = self._table.get(path) or self._job_methods(path) or self._orders.methods(path)
        methods = methods or self._figures.methods(path)
        if methods is None and self._lists is not None:
            methods = self._lists.methods(path)
        if methods is None and self._providers is not None:
            methods = self._providers.methods(path)
        if methods is None:
            raise Problem(404, "not-found", f"There is nothing at {path[:200]}.{nearest(path, self._table)}")
        if method in methods:
            return methods[method]
        problem = Problem(405, "method-not-allowed", f"{path} takes {' and '.join(methods)} only.")
        problem.headers["Allow"] = ", ".join(methods)
        raise problem

    def _job_methods(self, path: str) -> dict[str, _Handler] | None:
        if not path.startswith("/v1/jobs/"):
            return None
        job_id, _, verb = path.removeprefix("/v1/jobs/").partition("/")
        if "/" in verb or path.endswith("/"):
            return None
        if verb and verb not in VERBS:
            detail = f"There is no verb {verb[:40]!r}; there are {', '.join(VERBS)}.{nearest(verb, VERBS)}"
            raise Problem(404, "not-found", detail)
        if not is_job_id(job_id):
            raise NoSuchJob(job_id[:40])
        if not verb:
            return {"GET": lambda request, query: self._jobs.show(request, query, job_id)}
        return {"POST": lambda request, query: self._jobs.command(request, query, job_id, verb)}

    async def _status(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /v1/status"""
        body.query(query, ())
        return answer(200, {**self._desk.status(), "last_event": self._desk.last_event()})

    async def _healthz(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /healthz: 200 as long as jobs can be read, which needs the store."""
        try:
            self._desk.last_event()
        except DialerError as error:
            raise overloaded(str(error)) from None
        return answer(200, {"status": "ok"})

    async def _describe(self, request: web.BaseRequest, query: str) -> web.Response:
        """GET /openapi.json"""
        return answer(200, openapi())
