"""Amazon EMR: clusters that are this machine, steps that are real programs on real Spark.

Handlers, by resource:
- creation.py, clusters.py: RunJobFlow; described, listed, protected, terminated
- submitting.py, steps.py: AddJobFlowSteps; described, listed, cancelled
- tags.py, machines.py, security.py: tags; what was asked of machines; security configurations

What they rest on:
- records.py: what is kept; shapes.py, paging.py, refusals.py: how it is shown, and AWS's words
- passing.py: the roles that RunJobFlow hands over
- lifecycle.py: the state machines; telling.py: their events
- driving.py: clusters brought through their lives, in the background
- running.py: a step's program and its logs; commands.py: what a jar means here; failures.py: why it failed

Not here: instances (groups are shown as they were asked for), scaling, notebooks, Studio, EMR on EKS.
"""

from passrole.services.emr import clusters, creation, machines, security, steps, submitting, tags
from passrole.services.emr.driving import Clusters

__all__ = ["Clusters", "clusters", "creation", "machines", "security", "steps", "submitting", "tags"]
