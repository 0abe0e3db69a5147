-- Columns by the names that the code has for them.
ALTER TABLE messages RENAME COLUMN about TO envelope;
ALTER TABLE objects RENAME COLUMN about TO metadata;
