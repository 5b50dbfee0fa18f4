-- Versions of packs that executions began with, each once: 64 digits are too many for half a million rows and their index.
CREATE TABLE versions (
    row    INTEGER PRIMARY KEY,
    pack   TEXT NOT NULL,
    digest TEXT NOT NULL,
    UNIQUE (pack, digest)
) STRICT;

-- None only where the request cannot be read, so that nobody can go on with it, nor run it again.
ALTER TABLE executions ADD COLUMN pack_version INTEGER REFERENCES versions (row);

-- The request is the first entry, and it is written as text.
CREATE TEMP TABLE begun AS
SELECT execution, CASE WHEN json_valid(CAST(entries AS TEXT)) THEN CAST(entries AS TEXT) ->> '$[0].pack_digest' END AS digest
FROM journal WHERE first = 0;

INSERT INTO versions (pack, digest)
SELECT DISTINCT pack, digest FROM begun JOIN executions ON executions.row = begun.execution WHERE digest IS NOT NULL;

UPDATE executions SET pack_version = versions.row
FROM begun JOIN versions ON versions.digest = begun.digest
WHERE executions.row = begun.execution AND versions.pack = executions.pack;

DROP TABLE begun;

CREATE INDEX executions_by_version ON executions (pack_version) WHERE pack_version IS NOT NULL;
