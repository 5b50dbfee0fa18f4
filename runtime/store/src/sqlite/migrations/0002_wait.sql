-- A lease belongs to the process, not to each of its executions: renewing it is one row.
CREATE TABLE nodes (
    node        TEXT    NOT NULL PRIMARY KEY,
    lease_until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO nodes SELECT owner, max(lease_until) FROM executions WHERE owner IS NOT NULL GROUP BY owner;

DROP INDEX executions_by_lease;
DROP INDEX executions_by_owner;
ALTER TABLE executions DROP COLUMN lease_until;

-- Parked: nothing of it is in memory; `wake_at` is when there is something to do, if a time says so.
ALTER TABLE executions ADD COLUMN parked INTEGER NOT NULL DEFAULT 0 CHECK (parked IN (0, 1));
ALTER TABLE executions ADD COLUMN wake_at INTEGER;
-- The id of the execution whose step started this one.
ALTER TABLE executions ADD COLUMN parent BLOB CHECK (parent IS NULL OR length(parent) = 16);

UPDATE executions SET parent = unhex(origin ->> '$.execution', '-') WHERE origin ->> '$.from' = 'step';

CREATE INDEX executions_open ON executions (id) WHERE open = 1;
CREATE INDEX executions_open_by_owner ON executions (owner, id) WHERE open = 1;
CREATE INDEX executions_by_parent ON executions (parent, created_at, id) WHERE parent IS NOT NULL;

-- What steps wait for from outside. No item is -1, so that it is a part of the key and comes first.
CREATE TABLE waits (
    execution  BLOB    NOT NULL CHECK (length(execution) = 16),
    step       INTEGER NOT NULL,
    item       INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    key        TEXT,
    opened_at  INTEGER NOT NULL,
    expires_at INTEGER,
    wait       BLOB    NOT NULL,
    PRIMARY KEY (execution, step, item)
) STRICT, WITHOUT ROWID;

CREATE INDEX waits_by_key ON waits (key) WHERE key IS NOT NULL;
CREATE INDEX waits_by_kind ON waits (kind);

-- Large values of entries, by the SHA-256 of their JSON; `bytes` is its length, `data` is compressed.
CREATE TABLE blobs (
    hash  BLOB    NOT NULL PRIMARY KEY CHECK (length(hash) = 32),
    bytes INTEGER NOT NULL CHECK (bytes > 0),
    data  BLOB    NOT NULL
) STRICT;

-- Which of an append's values are blobs: places and hashes, beside the entries, so that no value can be taken for one.
ALTER TABLE journal ADD COLUMN blobs BLOB;
