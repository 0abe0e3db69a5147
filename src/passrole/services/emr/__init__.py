"""Amazon EMR: clusters that are this machine, steps that are real programs on real Spark.

Handlers, by resource:
- run_job_flow.py, clusters.py: RunJobFlow; described, listed, protected, terminated
- add_job_flow_steps.py, steps.py: AddJobFlowSteps; described, listed, cancelled
- tags.py, machines.py, security.py: tags; instance groups and bootstrap actions; security configurations

What they rest on:
- records.py: what is kept; shapes.py, paging.py, refusals.py: how it is shown, and AWS's words
- pass_role.py: the roles that RunJobFlow hands over
- lifecycle.py: the state machines; status_events.py: their events
- retention.py, leftovers.py: delete clusters that ended long ago, and what a killed server left
- commands.py: what a jar means here; configurations.py: settings of Spark; failures.py: why a step failed

`worker/emr_clusters.py` brings clusters through their lives, `worker/emr_step_runner.py` runs their steps.

Not here: instances (groups are shown as they were asked for), scaling, notebooks, Studio, EMR on EKS.
"""

from passrole.services.emr import add_job_flow_steps, clusters, machines, run_job_flow, security, steps, tags

__all__ = ["add_job_flow_steps", "clusters", "machines", "run_job_flow", "security", "steps", "tags"]
