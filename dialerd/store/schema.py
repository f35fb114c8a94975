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
    """
    ALTER TABLE jobs ADD COLUMN trunk TEXT NOT NULL DEFAULT '';  -- whose turn it is; '' for a literal channel
    ALTER TABLE jobs ADD COLUMN turn INTEGER NOT NULL DEFAULT 0; -- core/fairness.py
    ALTER TABLE jobs ADD COLUMN disposition TEXT;                -- of the last attempt
    UPDATE jobs SET trunk = coalesce(json_extract(document, '$.call.trunk'), '');
    DROP INDEX jobs_due;
    CREATE INDEX jobs_due ON jobs (trunk, priority DESC, turn, id) WHERE ready = 1;
    CREATE INDEX jobs_owner ON jobs (owner, id);
    CREATE INDEX jobs_ended ON jobs (updated) WHERE ready IS NULL;
    CREATE INDEX jobs_batches ON jobs (batch, owner, state, disposition, updated) WHERE batch > '';
    CREATE INDEX jobs_next ON jobs (batch, owner, not_before) WHERE ready = 0 AND batch > '';
        -- both for store/figures.py alone: no other query says batch > '', so none is led astray by them
    CREATE TABLE purged_keys (       -- keys that outlive their jobs, and when those were purged
        at INTEGER NOT NULL,
        owner INTEGER NOT NULL,
        key TEXT NOT NULL,
        PRIMARY KEY (at, owner, key)
    ) WITHOUT ROWID;
    ALTER TABLE attempts ADD COLUMN trunk TEXT;
    ALTER TABLE attempts ADD COLUMN disposition TEXT;
    ALTER TABLE attempts ADD COLUMN ended INTEGER;               -- ms; NULL while it is under way or in doubt
    UPDATE attempts SET
        trunk = json_extract(document, '$.trunk'),
        disposition = json_extract(document, '$.result.disposition'),
        ended = json_extract(document, '$.ended');
    CREATE INDEX attempts_ended ON attempts (ended) WHERE ended IS NOT NULL;
    CREATE TABLE orders (            -- standing orders: what is paused, which batches are being cancelled
        scope TEXT PRIMARY KEY,      -- all, trunk:NAME, batch:OWNER:NAME
        word TEXT NOT NULL,          -- paused, cancelled
        owner INTEGER NOT NULL,      -- who gave it
        at INTEGER NOT NULL,
        reason TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE usage (             -- what was called, by day and by whom it counts for
        day TEXT NOT NULL,           -- 2026-11-21, in the zone of [caps]
        scope TEXT NOT NULL,         -- all, trunk:NAME, owner:UID
        calls INTEGER NOT NULL,
        seconds INTEGER NOT NULL,
        cost INTEGER NOT NULL,       -- units of 1/10000
        PRIMARY KEY (day, scope)
    ) WITHOUT ROWID;
    CREATE TABLE areas (             -- the areas (first digits) that a trunk has called before
        trunk TEXT NOT NULL,
        area TEXT NOT NULL,
        first INTEGER NOT NULL,
        PRIMARY KEY (trunk, area)
    ) WITHOUT ROWID;
    """,
    """
    ALTER TABLE jobs ADD COLUMN look_at INTEGER;   -- when the provider that has it is asked about it
    ALTER TABLE jobs ADD COLUMN kind TEXT NOT NULL DEFAULT 'call';
    CREATE INDEX jobs_look ON jobs (look_at) WHERE look_at IS NOT NULL;
    CREATE INDEX jobs_kind ON jobs (kind, id) WHERE kind <> 'call';
    ALTER TABLE attempts ADD COLUMN ref TEXT;      -- the provider's id of it
    CREATE INDEX attempts_ref ON attempts (trunk, ref) WHERE ref IS NOT NULL;
    CREATE TABLE blocks (            -- accounts whose provider asked us to wait
        provider TEXT PRIMARY KEY,
        until INTEGER NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE sessions (          -- IVR sessions under way, and whose attempt each is
        provider TEXT NOT NULL,
        session TEXT NOT NULL,
        job INTEGER NOT NULL,
        PRIMARY KEY (provider, session)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE meta (              -- who wrote here last, and what was restored
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
)
