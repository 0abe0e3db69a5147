"""The types of steps: how each begins, and what it makes of what is heard of it. A row for each.

A new type is a file here, a row below and one in `engine/properties.py`.
"""

from collections.abc import Mapping

from passrole.definition import (
    CallbackStep,
    ClarifyCheckStep,
    ConditionStep,
    EmrServerlessStep,
    EmrStep,
    EndpointConfigStep,
    EndpointStep,
    FailStep,
    ForEachStep,
    LambdaStep,
    LineageStep,
    ModelStep,
    ProcessingStep,
    QualityCheckStep,
    RegisterModelStep,
    Step,
    TrainingStep,
    TransformStep,
    TuningStep,
)
from passrole.definition.kinds import UNSUPPORTED as READ_FOR_STUBS
from passrole.engine.kinds.at_once import CONDITION, FAIL
from passrole.engine.kinds.callback import CALLBACK
from passrole.engine.kinds.check import check
from passrole.engine.kinds.creation import ENDPOINT_CONFIG, LINEAGE, MODEL, REGISTER_MODEL
from passrole.engine.kinds.emr import EMR
from passrole.engine.kinds.emr_serverless import EMR_SERVERLESS
from passrole.engine.kinds.endpoint import ENDPOINT
from passrole.engine.kinds.for_each import FOR_EACH
from passrole.engine.kinds.job import JobType, kind_of
from passrole.engine.kinds.kind import Kind
from passrole.engine.kinds.lambda_ import LAMBDA
from passrole.engine.kinds.sagemaker_job import sagemaker_job
from passrole.engine.kinds.tuning import TUNING
from passrole.engine.kinds.unsupported import UNSUPPORTED

JOB_TYPES: Mapping[type[Step], JobType] = {
    EmrStep: EMR,
    EmrServerlessStep: EMR_SERVERLESS,
    ProcessingStep: sagemaker_job("Processing"),
    TrainingStep: sagemaker_job("Training"),
    TransformStep: sagemaker_job("Transform"),
    EndpointStep: ENDPOINT,
    TuningStep: TUNING,
    QualityCheckStep: check("Quality"),
    ClarifyCheckStep: check("Clarify"),
}
"""The types whose work is a job."""

KINDS: Mapping[type[Step], Kind] = {
    LambdaStep: LAMBDA,
    CallbackStep: CALLBACK,
    LineageStep: LINEAGE,
    ModelStep: MODEL,
    RegisterModelStep: REGISTER_MODEL,
    EndpointConfigStep: ENDPOINT_CONFIG,
    ConditionStep: CONDITION,
    FailStep: FAIL,
    ForEachStep: FOR_EACH,
    **{type_: kind_of(job) for type_, job in JOB_TYPES.items()},
    **{kind.step: UNSUPPORTED for kind in READ_FOR_STUBS.values()},
}
