"""Jobs of SageMaker: created, described, listed, stopped. What runs them is the worker's business.

- a kind of job is a row: its names on the wire, its collection, what its description adds (kinds.py)
- the states that a job goes through, and the events that tell of them (states.py)
- a module for each kind has its operations; listing.py and refusals.py serve all of them
"""

from passrole.services.sagemaker.jobs import processing, training

__all__ = ["processing", "training"]
