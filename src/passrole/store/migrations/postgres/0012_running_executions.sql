-- As in SQLite.
CREATE INDEX executions_running ON executions (pipeline) WHERE status IN ('Executing', 'Stopping');
