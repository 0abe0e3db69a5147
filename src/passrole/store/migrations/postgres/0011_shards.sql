-- As in SQLite. No server has used the tables before, so there is no task whose shard is to be worked out.
ALTER TABLE tasks ADD COLUMN shard bigint NOT NULL DEFAULT 0;
DROP INDEX tasks_due;
CREATE INDEX tasks_due ON tasks (kind, due, key, shard) WHERE due IS NOT NULL;
CREATE TABLE leases (
    shard bigint PRIMARY KEY,
    node  bigint NOT NULL DEFAULT 0,
    fence bigint NOT NULL DEFAULT 0
);
INSERT INTO leases (shard) SELECT generate_series(0, 63);
