"""Condition steps with every condition, joins within joins, and Fail steps with every kind of message."""

from sagemaker_sdk import (
    ConditionEquals,
    ConditionGreaterThan,
    ConditionGreaterThanOrEqualTo,
    ConditionIn,
    ConditionLessThan,
    ConditionLessThanOrEqualTo,
    ConditionNot,
    ConditionOr,
    ConditionStep,
    ExecutionVariables,
    FailStep,
    Join,
    ParameterBoolean,
    ParameterFloat,
    ParameterInteger,
    ParameterString,
    Pipeline,
    PipelineSession,
    get_execution_role,
)

session = PipelineSession()
role = get_execution_role(session)

count = ParameterInteger(name="Count", default_value=3)
share = ParameterFloat(name="Share", default_value=0.5)
word = ParameterString(name="Word", default_value="x")
flag = ParameterBoolean(name="Flag", default_value=True)
parameters = [count, share, word, flag]

HOLD = [
    ConditionEquals(left=word, right="x"),
    ConditionEquals(left=flag, right=True),
    ConditionEquals(
        left=Join(on="/", values=["a", Join(on="-", values=[count, flag, word])]), right="a/3-true-x"
    ),
    ConditionEquals(left=count.to_string(), right="3"),
    ConditionGreaterThan(left=count, right=2),
    ConditionGreaterThanOrEqualTo(left=count, right=3),
    ConditionLessThan(left=share, right=0.75),
    ConditionLessThanOrEqualTo(left=share, right=0.5),
    ConditionIn(value=word, in_values=["y", "x"]),
    ConditionNot(expression=ConditionEquals(left=word, right="y")),
    ConditionOr(
        conditions=[ConditionEquals(left=word, right="y"), ConditionIn(value=count, in_values=[1, 3])]
    ),
]


def failed(name, steps, **start):
    """The steps of an execution that must fail, newest first."""
    pipeline = Pipeline(name=name, parameters=parameters, steps=steps, sagemaker_session=session)
    pipeline.upsert(role_arn=role)
    execution = pipeline.start(**start)
    try:
        execution.wait(delay=1, max_attempts=60)
        raise SystemExit("the execution should have failed")
    except Exception as error:  # the SDK's waiter raises WaiterError
        assert "Max attempts" not in str(error), error
    assert execution.describe()["PipelineExecutionStatus"] == "Failed"
    listed = pipeline.list_executions()["PipelineExecutionSummaries"][0]
    assert "Step failure: One or multiple steps failed" in listed["PipelineExecutionFailureReason"]
    return execution.list_steps()


def branches(name, conditions):
    """A condition with a failing step on either side."""
    yes, no = (FailStep(name=f"{name}{side}", error_message=side) for side in ("Yes", "No"))
    return ConditionStep(name=name, conditions=conditions, if_steps=[yes], else_steps=[no])


steps = failed("SdkAllHold", [branches("All", HOLD)])
assert [(step["StepName"], step["StepStatus"]) for step in steps] == [
    ("AllYes", "Failed"),
    ("All", "Succeeded"),
]
assert steps[1]["Metadata"]["Condition"]["Outcome"] == "True"

for number, condition in enumerate(HOLD):
    HOLD[number] = ConditionNot(expression=condition)
steps = failed("SdkNoneHolds", [branches("None", [ConditionOr(conditions=HOLD)])])
assert [step["StepName"] for step in steps] == ["NoneNo", "None"]
assert steps[1]["Metadata"]["Condition"]["Outcome"] == "False"

only = ConditionStep(
    name="Cond", conditions=[ConditionEquals(left=count, right=0)], if_steps=[], else_steps=[]
)
MESSAGES = [
    ("a plain sentence", "a plain sentence"),
    (word, "y"),
    (Join(on=" ", values=["count", count, "flag", flag]), "count 0 flag false"),
    (Join(on=":", values=[only.properties.Outcome, ExecutionVariables.PIPELINE_NAME]), "true:SdkMessages"),
    ("", None),
]
start = {"parameters": {"Word": "y", "Count": 0, "Flag": False}}
for message, expected in MESSAGES:
    fail = FailStep(name="Fail", error_message=message, depends_on=[only])
    steps = failed("SdkMessages", [only, fail], **start)
    assert [step["StepName"] for step in steps] == ["Fail", "Cond"], steps
    assert steps[0].get("FailureReason") == expected, steps
    assert steps[0]["Metadata"]["Fail"]["ErrorMessage"] == (expected or ""), steps

try:
    after = ConditionStep(
        name="CondStep", conditions=[ConditionEquals(left=1, right=1)], depends_on=["FailStep"]
    )
    wrong = Pipeline(name="SdkAfterFail", steps=[FailStep(name="FailStep"), after], sagemaker_session=session)
    wrong.create(role_arn=role)
    raise SystemExit("the pipeline should have been refused")
except Exception as error:
    assert "CondStep can not depends on FailStep" in str(error), error
