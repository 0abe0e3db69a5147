"""SageMaker Pipelines: definitions, their executions, the answers to their callbacks, models, and tags.

What an execution does is none of its business: `history` and the engine below it decide, the worker acts.
"""

from passrole.services.sagemaker import (
    callbacks,
    executions,
    models,
    pipelines,
    projects,
    start_pipeline_execution,
    tags,
    versions,
)
from passrole.services.sagemaker.hosting import configs, endpoints
from passrole.services.sagemaker.jobs import processing, training, transform, tuning
from passrole.services.sagemaker.lineage import (
    actions,
    artifacts,
    associations,
    contexts,
    query_lineage,
    trial_components,
)
from passrole.services.sagemaker.registry import groups, packages
from passrole.services.sagemaker.searching import search

__all__ = [
    "actions",
    "artifacts",
    "associations",
    "callbacks",
    "configs",
    "contexts",
    "endpoints",
    "executions",
    "groups",
    "models",
    "packages",
    "pipelines",
    "processing",
    "projects",
    "query_lineage",
    "search",
    "start_pipeline_execution",
    "tags",
    "training",
    "transform",
    "trial_components",
    "tuning",
    "versions",
]
