"""Which texts were there before, of a million too: kept in a private file when there are many."""

import sqlite3


class Seen:
    """A set of texts. SQLite keeps what its name "" stands for in memory while it is small, else in a file
    that nobody else sees and that goes with the connection."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("CREATE TABLE seen (text TEXT PRIMARY KEY) WITHOUT ROWID")
        self._db.execute("BEGIN")

    def __enter__(self) -> "Seen":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __contains__(self, text: str) -> bool:
        return self._db.execute("SELECT 1 FROM seen WHERE text = ?", (text,)).fetchone() is not None

    def __len__(self) -> int:
        (count,) = self._db.execute("SELECT count(*) FROM seen").fetchone()
        return int(count)

    def add(self, text: str) -> bool:
        """Adds it; whether it is new."""
        return self._db.execute("INSERT OR IGNORE INTO seen VALUES (?)", (text,)).rowcount == 1

    def close(self) -> None:
        """Forgets all."""
        self._db.close()
