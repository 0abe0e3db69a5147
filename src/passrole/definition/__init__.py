"""Pipeline definitions: JSON text in, a Pipeline or its problems out.

Pure: knows no clock, store, account or AWS call. `parse` reads a definition, `effective` computes the
parameters of one execution; everything else is a part of a Pipeline.
"""

from passrole.definition.document import Pipeline, parse
from passrole.definition.parameters import Parameter, effective
from passrole.definition.problems import DefinitionError, Problem
from passrole.definition.steps import (
    CallbackStep,
    ConditionStep,
    EmrStep,
    FailStep,
    LambdaStep,
    Step,
    Trigger,
)

__all__ = [
    "CallbackStep",
    "ConditionStep",
    "DefinitionError",
    "EmrStep",
    "FailStep",
    "LambdaStep",
    "Parameter",
    "Pipeline",
    "Problem",
    "Step",
    "Trigger",
    "effective",
    "parse",
]
