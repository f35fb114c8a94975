"""What all calls of Hoiio's API have in common: a POST with a form, in which the credentials stand.

Hoiio takes GET as well; then token and message would stand in an address, and in every log on the way.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape

from dialerd.core.model import Call
from dialerd.core.receipts import Errand
from dialerd.core.tasks import Extra
from dialerd.providers.base import Provider
from dialerd.providers.hoiio_words import ZONE
from dialerd.providers.pairs import merged
from dialerd.providers.wire import Pairs, Part, Request

Fields = tuple[tuple[str, str | int | None], ...]

LONGEST_MESSAGE = 1000
"""Characters of what is spoken, marks included (ivr/start/dial, msg)."""

_BEFORE = timedelta(minutes=10)
"""Their clock may be behind ours."""

_DAY = timedelta(days=1)


class _Veiled(str):
    """A secret text, in a form that is shown in tracebacks."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'…'"


@dataclass(frozen=True, kw_only=True)
class HoiioApi(Provider):
    """An account: `account` is its app id, `secret` the access token."""

    def post(self, path: str, *fields: tuple[str, str | int | None], extra: Extra = ()) -> Request:
        """The request with these fields, less those that are None."""
        return Request("POST", path, form=self._form(fields, extra))

    def upload(self, path: str, part: Part, *fields: tuple[str, str | None], extra: Extra = ()) -> Request:
        """The same with a file, as multipart/form-data."""
        return Request("POST", path, form=self._form(fields, extra), parts=(part,))

    def _form(self, fields: Fields, extra: Extra) -> Pairs:
        given = merged(((name, None if value is None else str(value)) for name, value in fields), extra)
        return (("app_id", self.account), ("access_token", _Veiled(self.secret.value)), *given)

    def history(
        self,
        path: str,
        since: datetime | None,
        until: datetime | None,
        cursor: str | None,
        *more: tuple[str, str],
    ) -> Request:
        return self.post(path, ("from", clock(since)), ("to", clock(until)), ("page", cursor), *more)

    def around(self, path: str, errand: Errand, cursor: str | None, *more: tuple[str, str]) -> Request:
        since = None if errand.begun is None else errand.begun - _BEFORE
        until = None if errand.begun is None else errand.begun + _DAY
        return self.history(path, since, until, cursor, *more)


def ours(errand: Errand) -> tuple[tuple[str, str | None], ...]:
    return (("tag", errand.reference), ("notify_url", errand.callback))


PRIVATE = "private"
"""As a caller id: none is shown (openapi.hoiio.com, Voice API)."""


def shown(call: Call) -> str | None:
    """The caller id: a number, or that none is to be shown."""
    if call.caller_id_number is None and (call.caller_id_name or "").lower() == PRIVATE:
        return PRIVATE
    return call.caller_id_number


def clock(when: datetime | None) -> str | None:
    """A time as Hoiio takes it."""
    return None if when is None else f"{when.astimezone(ZONE):%Y-%m-%d %H:%M:%S}"


def spoken(message: str | None) -> str | None:
    """What is said: a text, which may have Hoiio's own marks in it, or the address of a sound."""
    if message is None or not message.startswith(("http://", "https://")):
        return message
    return f"<url>{escape(message, quote=False)}</url>"


def in_language(message: str, language: str | None) -> str:
    """A plain text, marked with its language where there is one."""
    if language is None:
        return message
    return f'<speech language="{escape(language)}">{escape(message, quote=False)}</speech>'
