-- Ids of events are in the order of their time: an index of them is enough, and each more is written with each delivery.
DROP INDEX events_by_age;
