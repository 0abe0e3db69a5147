"""Everything that runs when nobody calls. It asks through the door, as the role that the work is for.

- supervisor.py: starts, restarts, bounds and closes all loops
- task_queue.py, due_keys.py: loops over rows with a due time, and over keys whose rows are compared with what
  runs
- loop.py, effects.py, invocations.py, json_documents.py, job_steps: the engine's commands
- calls.py, retry_policy.py: calls as an execution's role, and AWS's own retries of them; outages.py: calls
  that wait for the database
- creations.py: models and packages that steps create
- job_monitor.py: ends of jobs that executions wait for; job_retries.py: jobs that are tried again
- emr_clusters.py, emr_step_runner.py, emr_step_logs.py: EMR's clusters, the programs of their steps, and what
  these wrote
- emr_serverless: job runs of EMR Serverless; spark_programs.py: how these and EMR's steps are run
- following.py: what is brought elsewhere while a program runs; shared_output.py: its output, to other servers
- async_invocations.py, queue_pollers.py, log_delivery.py: Lambda's asynchronous invocations, event source
  mappings, and logs
- event_matcher.py, event_deliveries.py: EventBridge; scheduled_invocations.py: EventBridge Scheduler;
  schedules.py, retried_deliveries.py: both
- housekeeping.py: periodic deletion; traces.py, otlp.py: spans for a collector
- jobs: SageMaker's processing and training jobs

Knows no handlers: whatever satisfies `CallOperation` is a door.
"""

from passrole.worker.loop import Worker

__all__ = ["Worker"]
