"""SageMaker Pipelines: definitions, their executions, the answers to their callbacks, and tags.

What an execution does is none of its business: `history` and the engine below it decide, the worker acts.
"""

from passrole.services.sagemaker import (
    callbacks,
    executions,
    pipelines,
    start_pipeline_execution,
    tags,
    versions,
)
from passrole.services.sagemaker.jobs import processing, training

__all__ = [
    "callbacks",
    "executions",
    "pipelines",
    "processing",
    "start_pipeline_execution",
    "tags",
    "training",
    "versions",
]
