-- Ids of events are in the order of their time: an index of them is enough, and each more is written with each delivery.
DROP INDEX events_by_age;

-- The key first: most events have the trigger and the source of many others, and all three are always asked for together.
DROP INDEX events_by_key;
CREATE UNIQUE INDEX events_by_key ON events (key, source, trigger) WHERE key IS NOT NULL;
