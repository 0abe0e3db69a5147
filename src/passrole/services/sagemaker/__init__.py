"""SageMaker Pipelines: definitions, their executions, and the answers to their callbacks.

What an execution does is none of its business: `history` and the engine below it decide, the worker acts.
"""

from passrole.services.sagemaker import callbacks, executions, pipelines

__all__ = ["callbacks", "executions", "pipelines"]
