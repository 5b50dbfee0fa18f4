-- One row an execution: the line of the catalogue, the length of the journal, the lease.
CREATE TABLE executions (
    row         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    pack        TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    open        INTEGER NOT NULL CHECK (open IN (0, 1)),
    origin      TEXT    NOT NULL,
    created_at  INTEGER NOT NULL,
    started_at  INTEGER,
    finished_at INTEGER,
    version     INTEGER NOT NULL CHECK (version > 0),
    token       INTEGER NOT NULL CHECK (token > 0),
    owner       TEXT,
    -- Before every moment when nobody holds it, so that one comparison finds what may be claimed.
    lease_until INTEGER NOT NULL
) STRICT;

CREATE INDEX executions_by_lease ON executions (lease_until, id) WHERE open = 1;
CREATE INDEX executions_by_owner ON executions (owner) WHERE owner IS NOT NULL;
CREATE INDEX executions_by_pack ON executions (pack, id);
CREATE INDEX executions_by_action ON executions (action, id);
-- Most executions succeed: those are found quickly without an index, and it stays small without them.
CREATE INDEX executions_by_status ON executions (status, id) WHERE status <> 'succeeded';

-- One row an append: `count` entries that follow after `first` others, as a JSON array.
CREATE TABLE journal (
    execution INTEGER NOT NULL REFERENCES executions (row),
    first     INTEGER NOT NULL CHECK (first >= 0),
    count     INTEGER NOT NULL CHECK (count > 0),
    digest    BLOB    NOT NULL CHECK (length(digest) = 16),
    entries   BLOB    NOT NULL,
    PRIMARY KEY (execution, first)
) STRICT;

CREATE TABLE key_values (
    pack       TEXT NOT NULL,
    key        TEXT NOT NULL,
    value      BLOB NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (pack, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX key_values_by_expiry ON key_values (expires_at) WHERE expires_at IS NOT NULL;
