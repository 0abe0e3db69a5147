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

-- Asynchronous invocations and deliveries of events were documents, with the due time in the body; events
-- that no rule had been asked about were documents whose keys begin with their time.
INSERT INTO tasks (kind, key, body, due)
    SELECT CASE kind WHEN 'function-queued' THEN 'async-invocation' ELSE kind END, key, body,
        CASE WHEN json_valid(CAST(body AS TEXT))
            THEN coalesce(json_extract(CAST(body AS TEXT), '$.due'), 0) ELSE 0 END
    FROM documents WHERE kind IN ('function-queued', 'event-delivery');
INSERT INTO tasks (kind, key, body, due)
    SELECT 'event', key, body, 0 FROM documents WHERE kind = 'event-emitted';
DELETE FROM documents WHERE kind IN ('function-queued', 'event-delivery', 'event-emitted');
