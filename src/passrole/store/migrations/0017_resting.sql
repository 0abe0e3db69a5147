-- 1: nothing can be written on the server's disk; it borrows no shards, and is not counted where these are shared out.
ALTER TABLE nodes ADD COLUMN rests INTEGER NOT NULL DEFAULT 0;
