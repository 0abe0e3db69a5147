"""Pipeline definitions: JSON text in, a Pipeline or its problems out.

Pure: knows no clock, store, account or AWS call. `parse` reads a new definition, `parse_stored` one that was
accepted before, `effective` computes the
parameters of one execution; everything else is a part of a Pipeline.
"""

from passrole.definition.document import Pipeline, parse, parse_stored
from passrole.definition.kinds.callback import CallbackStep
from passrole.definition.kinds.checks import CheckStep, ClarifyCheckStep, QualityCheckStep
from passrole.definition.kinds.condition import ConditionStep
from passrole.definition.kinds.emr import EmrStep
from passrole.definition.kinds.emr_serverless import EmrServerlessStep
from passrole.definition.kinds.endpoint import EndpointStep
from passrole.definition.kinds.endpoint_config import EndpointConfigStep
from passrole.definition.kinds.fail import FailStep
from passrole.definition.kinds.for_each import ForEachStep
from passrole.definition.kinds.lambda_ import LambdaStep
from passrole.definition.kinds.lineage import LineageStep
from passrole.definition.kinds.model import ModelStep
from passrole.definition.kinds.processing import ProcessingStep, PropertyFile
from passrole.definition.kinds.register_model import RegisterModelStep
from passrole.definition.kinds.training import TrainingStep
from passrole.definition.kinds.transform import TransformStep
from passrole.definition.kinds.tuning import TuningStep
from passrole.definition.kinds.unsupported import UnsupportedStep
from passrole.definition.parameters import Parameter, effective
from passrole.definition.problems import DefinitionError, Problem
from passrole.definition.steps import CreationStep, FollowedStep, JobStep, Step, Trigger

__all__ = [
    "CallbackStep",
    "CheckStep",
    "ClarifyCheckStep",
    "ConditionStep",
    "CreationStep",
    "DefinitionError",
    "EmrServerlessStep",
    "EmrStep",
    "EndpointConfigStep",
    "EndpointStep",
    "FailStep",
    "FollowedStep",
    "ForEachStep",
    "JobStep",
    "LambdaStep",
    "LineageStep",
    "ModelStep",
    "Parameter",
    "Pipeline",
    "Problem",
    "ProcessingStep",
    "PropertyFile",
    "QualityCheckStep",
    "RegisterModelStep",
    "Step",
    "TrainingStep",
    "TransformStep",
    "Trigger",
    "TuningStep",
    "UnsupportedStep",
    "effective",
    "parse",
    "parse_stored",
]
