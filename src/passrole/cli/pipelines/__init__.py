"""Commands about executions of pipelines: run, logs, callbacks, approve, reject."""
