-- Engine commands are done when it is their execution's turn, and nobody asks for them by time: they have no
-- due time and no entry in the index, which would be one page more in each commit of a step.
CREATE TABLE tasks_new (
    kind     TEXT NOT NULL,        -- which queue it is in
    key      TEXT NOT NULL,
    body     BLOB NOT NULL,
    due      REAL,                 -- epoch seconds, not before; NULL: when it is the turn of its party
    failures INTEGER NOT NULL DEFAULT 0, -- how often passrole itself failed at it
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
INSERT INTO tasks_new (kind, key, body, due, failures)
    SELECT kind, key, body, CASE WHEN kind GLOB 'engine/*' THEN NULL ELSE due END, failures FROM tasks;
DROP TABLE tasks;
ALTER TABLE tasks_new RENAME TO tasks;
CREATE INDEX tasks_due ON tasks (kind, due) WHERE due IS NOT NULL; -- and by key, which SQLite appends
