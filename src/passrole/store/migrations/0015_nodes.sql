-- 1: the node that has the shard takes no more tasks of it, and gives it back when those in hand have ended.
ALTER TABLE leases ADD COLUMN is_closing INTEGER NOT NULL DEFAULT 0;
-- Where the server keeps the objects of S3: servers of one database keep them in one place.
ALTER TABLE nodes ADD COLUMN objects TEXT NOT NULL DEFAULT '';
CREATE INDEX nodes_name ON nodes (name, number);
