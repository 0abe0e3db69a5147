"""Pipeline definitions: JSON text in, a Pipeline or its problems out.

Pure: knows no clock, store, account or AWS call. `parse` reads a definition, `effective` computes the
parameters of one execution; everything else is a part of a Pipeline.
"""

from passrole.definition.document import Pipeline, parse
from passrole.definition.kinds.callback import CallbackStep
from passrole.definition.kinds.condition import ConditionStep
from passrole.definition.kinds.emr import EmrStep
from passrole.definition.kinds.fail import FailStep
from passrole.definition.kinds.lambda_ import LambdaStep
from passrole.definition.parameters import Parameter, effective
from passrole.definition.problems import DefinitionError, Problem
from passrole.definition.steps import FollowedStep, Step, Trigger

__all__ = [
    "CallbackStep",
    "ConditionStep",
    "DefinitionError",
    "EmrStep",
    "FailStep",
    "FollowedStep",
    "LambdaStep",
    "Parameter",
    "Pipeline",
    "Problem",
    "Step",
    "Trigger",
    "effective",
    "parse",
]
