-- As in SQLite.
ALTER TABLE leases ADD COLUMN is_closing bigint NOT NULL DEFAULT 0;
ALTER TABLE nodes ADD COLUMN objects text NOT NULL DEFAULT '';
CREATE INDEX nodes_name ON nodes (name, number);
