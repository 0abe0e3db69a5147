"""Jobs of SageMaker: created, described, listed, stopped. `worker/jobs` runs them.

- a kind of job is a row: its names on the wire, its collection, what its description adds (kinds.py)
- the states of a job and their events (states.py)
- a module for each kind has its operations; lookup.py and refusals.py serve all of them
"""

from passrole.services.sagemaker.jobs import processing, training, transform, tuning

__all__ = ["processing", "training", "transform", "tuning"]
