-- Background work is divided into 64 shards, of which a node borrows some (docs/decisions/0019-shards.md).
ALTER TABLE tasks ADD COLUMN shard INTEGER NOT NULL DEFAULT 0;
UPDATE tasks SET shard = shard_of(key);
DROP INDEX tasks_due;
CREATE INDEX tasks_due ON tasks (kind, due, key, shard) WHERE due IS NOT NULL;
CREATE TABLE leases (
    shard INTEGER PRIMARY KEY,
    node  INTEGER NOT NULL DEFAULT 0, -- the number of who borrows it; 0 is the one server that there is
    fence INTEGER NOT NULL DEFAULT 0 -- how often it was borrowed
);
WITH RECURSIVE shards (shard) AS (SELECT 0 UNION ALL SELECT shard + 1 FROM shards WHERE shard < 63)
    INSERT INTO leases (shard) SELECT shard FROM shards;
