-- What a rule started is found by the rule and by the event.
ALTER TABLE executions ADD COLUMN rule TEXT;
ALTER TABLE executions ADD COLUMN event BLOB CHECK (event IS NULL OR length(event) = 16);

CREATE INDEX executions_by_rule ON executions (rule, id) WHERE rule IS NOT NULL;
CREATE INDEX executions_by_event ON executions (event, id) WHERE event IS NOT NULL;
-- Lists show what no step started; there may be many more of the others.
CREATE INDEX executions_roots ON executions (id) WHERE parent IS NULL;
CREATE INDEX executions_ended ON executions (finished_at, id) WHERE finished_at IS NOT NULL;

-- One row an event, never changed: what may change of it stands in its matches.
CREATE TABLE events (
    row         INTEGER PRIMARY KEY,
    id          BLOB    NOT NULL UNIQUE CHECK (length(id) = 16),
    trigger     TEXT    NOT NULL,
    source      TEXT    NOT NULL,
    key         TEXT,
    received_at INTEGER NOT NULL,
    digest      BLOB    NOT NULL CHECK (length(digest) = 16),
    -- JSON, with the matches as they were before they were recorded.
    event       BLOB    NOT NULL,
    -- Which of its values are blobs, as in the journal.
    blobs       BLOB
) STRICT;

CREATE UNIQUE INDEX events_by_key ON events (trigger, source, key) WHERE key IS NOT NULL;
CREATE INDEX events_by_trigger ON events (trigger, id);
CREATE INDEX events_by_source ON events (source, id);
CREATE INDEX events_by_age ON events (received_at, id);

-- What became of a match, so that saying it does not write a payload again.
CREATE TABLE matches (
    event BLOB    NOT NULL CHECK (length(event) = 16),
    rule  TEXT    NOT NULL,
    open  INTEGER NOT NULL CHECK (open IN (0, 1)),
    state TEXT    NOT NULL,
    PRIMARY KEY (event, rule)
) STRICT, WITHOUT ROWID;

CREATE INDEX matches_by_rule ON matches (rule, event);
CREATE INDEX matches_open ON matches (event) WHERE open = 1;

-- Rules' own deduplication.
CREATE TABLE rule_keys (
    rule       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    held_until INTEGER NOT NULL,
    PRIMARY KEY (rule, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX rule_keys_by_end ON rule_keys (held_until);

CREATE TABLE marks (
    name  TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Executions whose end somebody has to deal with, in the order in which they ended.
CREATE TABLE ended (
    row       INTEGER PRIMARY KEY,
    execution BLOB    NOT NULL UNIQUE CHECK (length(execution) = 16)
) STRICT;

CREATE TABLE api_keys (
    id           BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    digest       BLOB    NOT NULL UNIQUE CHECK (length(digest) = 32),
    name         TEXT    NOT NULL,
    role         TEXT    NOT NULL,
    packs        TEXT,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    revoked_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE reservations (
    scope      TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    digest     BLOB    NOT NULL CHECK (length(digest) = 32),
    execution  BLOB    NOT NULL CHECK (length(execution) = 16),
    kept_until INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX reservations_by_end ON reservations (kept_until);

CREATE TABLE rule_switches (
    rule    TEXT    NOT NULL PRIMARY KEY,
    enabled INTEGER NOT NULL CHECK (enabled IN (0, 1))
) STRICT, WITHOUT ROWID;

-- Who needs a blob: it goes with the last of them. The owner is an execution, or an event.
CREATE TABLE blob_uses (
    owner    BLOB    NOT NULL CHECK (length(owner) = 16),
    of_event INTEGER NOT NULL CHECK (of_event IN (0, 1)),
    hash     BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (owner, of_event, hash)
) STRICT, WITHOUT ROWID;

CREATE INDEX blob_uses_by_hash ON blob_uses (hash);

-- A reference is 37 bytes: five of the place, the hash.
INSERT OR IGNORE INTO blob_uses (owner, of_event, hash)
WITH RECURSIVE reference (execution, blobs, start) AS (
    SELECT execution, blobs, 1 FROM journal WHERE length(blobs) >= 37
    UNION ALL
    SELECT execution, blobs, start + 37 FROM reference WHERE start + 2 * 37 <= length(blobs) + 1
)
SELECT executions.id, 0, substr(blobs, start + 5, 32)
FROM reference JOIN executions ON executions.row = reference.execution;
