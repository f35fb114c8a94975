"""The tables, one step a version. A step, once released, is never changed: a new one is appended."""

STEPS = (
    """
    CREATE TABLE jobs (
        id INTEGER PRIMARY KEY,     -- core/ids.py: grows with time
        owner INTEGER NOT NULL,
        state TEXT NOT NULL,
        priority INTEGER NOT NULL,
        ready INTEGER,              -- waiting: 1 due, 0 not before `not_before`; NULL in every other state
        not_before INTEGER,         -- ms since the epoch, as all times here
        not_after INTEGER,
        updated INTEGER NOT NULL,
        attempts INTEGER NOT NULL,
        retries INTEGER NOT NULL,
        reason TEXT NOT NULL,
        requested TEXT,
        batch TEXT,
        number TEXT,                -- the (first) number called
        document TEXT NOT NULL      -- JSON of what never changes
    );
    CREATE INDEX jobs_due ON jobs (priority DESC, id) WHERE ready = 1;
    CREATE INDEX jobs_later ON jobs (not_before) WHERE ready = 0;
    CREATE INDEX jobs_expiring ON jobs (not_after) WHERE ready IS NOT NULL AND not_after IS NOT NULL;
    CREATE INDEX jobs_state ON jobs (state, id);
    CREATE INDEX jobs_batch ON jobs (batch, id) WHERE batch IS NOT NULL;
    CREATE INDEX jobs_number ON jobs (number, id) WHERE number IS NOT NULL;
    CREATE TABLE keys (
        owner INTEGER NOT NULL,
        key TEXT NOT NULL,
        job INTEGER NOT NULL,
        digest BLOB NOT NULL,
        PRIMARY KEY (owner, key)
    ) WITHOUT ROWID;
    CREATE TABLE tags (
        tag TEXT NOT NULL,
        job INTEGER NOT NULL,
        PRIMARY KEY (tag, job)
    ) WITHOUT ROWID;
    CREATE TABLE attempts (
        job INTEGER NOT NULL,
        number INTEGER NOT NULL,
        document TEXT NOT NULL,
        PRIMARY KEY (job, number)
    ) WITHOUT ROWID;
    CREATE TABLE events (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        at INTEGER NOT NULL,
        job INTEGER NOT NULL,
        type TEXT NOT NULL,
        data TEXT NOT NULL
    );
    CREATE INDEX events_job ON events (job, id);
    """,
)
