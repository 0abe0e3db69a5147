-- Work that nobody waits for: what is to be done, and when. A thing that waits is a row here and nothing
-- else. See store/tasks.py for the verbs.
CREATE TABLE tasks (
    kind     TEXT NOT NULL,        -- which queue it is in
    key      TEXT NOT NULL,
    body     BLOB NOT NULL,
    due      REAL NOT NULL,        -- epoch seconds; not before
    failures INTEGER NOT NULL DEFAULT 0, -- how often passrole itself failed at it
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE INDEX tasks_due ON tasks (kind, due); -- and by key, which SQLite appends
