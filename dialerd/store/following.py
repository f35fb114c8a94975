"""What is followed at providers: jobs to look at, attempts by the provider's id, sessions, and accounts that
must wait."""

import sqlite3
from collections.abc import Mapping
from datetime import datetime

from dialerd.core import ids
from dialerd.core.model import Attempt, Job
from dialerd.core.states import State
from dialerd.store import codec
from dialerd.store.rows import find_attempts, with_attempts


class Following:
    """A part of SqliteStore (store/base.py's Store). Every function runs inside the engine's transaction."""

    _db: sqlite3.Connection

    def sending(self) -> list[tuple[Job, Attempt]]:
        """The jobs that were being handed to a provider, with their attempts: bounded by its connections."""
        return with_attempts(self._db, "state = ? AND look_at IS NOT NULL", (State.ACTIVE,))

    def carried(self) -> list[tuple[Job, Attempt]]:
        """The calls that providers have."""
        where = "state = ? AND look_at IS NOT NULL AND kind IN ('call', 'conference', 'ivr')"
        return with_attempts(self._db, where, (State.SUBMITTED,))

    def to_look_at(self, now: datetime, limit: int) -> list[tuple[Job, Attempt]]:
        """Submitted and held jobs whose provider is to be asked by now, those that wait longest first."""
        where = "look_at IS NOT NULL AND look_at <= ? AND state IN (?, ?) ORDER BY look_at LIMIT ?"
        return with_attempts(self._db, where, (codec.to_ms(now), State.SUBMITTED, State.HELD, limit))

    def find_attempt(self, job_id: str, number: int) -> Attempt | None:
        """One attempt of a job, or None; None too for a text that is no id."""
        try:
            found = find_attempts(self._db, job_id)
        except ValueError:
            return None
        return next((attempt for attempt in found if attempt.number == number), None)

    def find_ref(self, provider: str, ref: str) -> tuple[str, int] | None:
        """The job and the number of the newest attempt that this provider knows by this id."""
        row = self._db.execute(
            "SELECT job, number FROM attempts WHERE trunk = ? AND ref = ?"
            " ORDER BY job DESC, number DESC LIMIT 1",
            (provider, ref),
        ).fetchone()
        return None if row is None else (ids.to_text(row[0]), row[1])

    def find_shared(self, provider: str, ref: str, number: str) -> tuple[str, int] | None:
        """The same, where several attempts went in one request: that of this number."""
        row = self._db.execute(
            "SELECT attempts.job, attempts.number FROM attempts JOIN jobs ON jobs.id = attempts.job"
            " WHERE attempts.trunk = ? AND attempts.ref = ? AND jobs.number = ?",
            (provider, ref, number),
        ).fetchone()
        return None if row is None else (ids.to_text(row[0]), row[1])

    def find_session(self, provider: str, session: str) -> str | None:
        """The job that has this session."""
        sql = "SELECT job FROM sessions WHERE provider = ? AND session = ?"
        row = self._db.execute(sql, (provider, session)).fetchone()
        return None if row is None else ids.to_text(row[0])

    def save_session(self, provider: str, session: str, job_id: str) -> None:
        """Notes whose session it is."""
        row = (provider, session, codec.number(job_id))
        self._db.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?)", row)

    def end_session(self, provider: str, session: str) -> None:
        """Forgets a session."""
        self._db.execute("DELETE FROM sessions WHERE provider = ? AND session = ?", (provider, session))

    def save_block(self, provider: str, until: datetime) -> None:
        """Notes that nothing is sent to a provider before a time."""
        self._db.execute("INSERT OR REPLACE INTO blocks VALUES (?, ?)", (provider, codec.to_ms(until)))

    def blocks(self, now: datetime) -> Mapping[str, datetime]:
        """The providers that must wait, and until when."""
        rows = self._db.execute("SELECT provider, until FROM blocks WHERE until > ?", (codec.to_ms(now),))
        return {provider: codec.moment(until) for provider, until in rows}
