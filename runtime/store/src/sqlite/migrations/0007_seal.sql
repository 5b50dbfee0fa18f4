-- Whether what is recorded of it is sealed: entries, events and waits are then no JSON, and keys that something is found
-- by are tags. What stands in columns of its own here is never secret.
ALTER TABLE executions ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1));
ALTER TABLE events ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1));
ALTER TABLE waits ADD COLUMN sealed INTEGER NOT NULL DEFAULT 0 CHECK (sealed IN (0, 1));
