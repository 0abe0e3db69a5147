"""Amazon EMR Serverless: applications that are this machine, job runs that are real programs on real Spark.

Handlers, by resource:
- applications.py: applications made, described, listed, changed, started, stopped, deleted
- job_runs.py: job runs started, described, listed, cancelled; their attempts
- tags.py: tags of both

What they rest on:
- records.py: what is kept; shapes.py, paging.py, refusals.py: how it is shown, and AWS's words
- lifecycle.py: the state machines; status_events.py: their events
- retention.py, leftovers.py: what is deleted with its age; what a killed server left
- commands.py: what a job driver means here

`worker/emr_serverless` runs the programs.

Not here: Hive, streaming, images of one's own, sessions and dashboards.
"""

from passrole.services.emr_serverless import applications, job_runs, tags

__all__ = ["applications", "job_runs", "tags"]
