-- Those that run, among millions that are over: for limits, and for lists of what runs.
CREATE INDEX executions_running ON executions (pipeline) WHERE status IN ('Executing', 'Stopping');
