-- What the engine wants done is a task like any other: a kind for each command, named as in its JSON, and the
-- execution before the key. The text of a command begins with its name; it is not parsed here, for SQLite
-- reads no JSON that is nested as deeply as ours may be.
INSERT INTO tasks (kind, key, body, due)
    SELECT 'engine/' || substr(text, 13, instr(substr(text, 13), '"') - 1),
        execution || ' ' || key,
        CAST('{"role":' || json_quote(role) || ',"command":' || text || '}' AS BLOB),
        started
    FROM (
        SELECT outbox.execution, outbox.key, CAST(outbox.command AS TEXT) AS text, executions.role,
            executions.started
        FROM outbox JOIN executions USING (execution)
    );
DROP TABLE outbox;
