-- What operators granted to packs: the last grant of each.
CREATE TABLE grants (
    pack       TEXT    PRIMARY KEY,
    -- Of the version that was looked at, with what it asked for.
    digest     TEXT    NOT NULL,
    wish       TEXT    NOT NULL,
    granted    TEXT    NOT NULL,
    granted_by TEXT    NOT NULL,
    at         INTEGER NOT NULL
) STRICT;
