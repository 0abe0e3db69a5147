"""The types of steps: how each begins, and what it makes of what is heard of it. A row for each.

A new type is a file here, a row below and one in `engine/properties.py`.
"""

from collections.abc import Mapping

from passrole.definition import CallbackStep, ConditionStep, EmrStep, FailStep, LambdaStep, Step
from passrole.engine.kinds.at_once import CONDITION, FAIL
from passrole.engine.kinds.callback import CALLBACK
from passrole.engine.kinds.emr import EMR, EMR_JOB
from passrole.engine.kinds.job import JobType
from passrole.engine.kinds.kind import Kind
from passrole.engine.kinds.lambda_ import LAMBDA

KINDS: Mapping[type[Step], Kind] = {
    LambdaStep: LAMBDA,
    CallbackStep: CALLBACK,
    EmrStep: EMR,
    ConditionStep: CONDITION,
    FailStep: FAIL,
}
JOB_TYPES: Mapping[type[Step], JobType] = {EmrStep: EMR_JOB}
"""Of those, the types whose work is a job."""
