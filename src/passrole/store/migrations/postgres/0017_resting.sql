-- As in SQLite.
ALTER TABLE nodes ADD COLUMN rests bigint NOT NULL DEFAULT 0;
