"""QualityCheck and ClarifyCheck steps: which baseline, whether it is compared, and what a violation means."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from passrole.definition import parse
from passrole.engine import State, begin, decide, fold
from passrole.engine.commands import (
    AwaitRetry,
    CancelJob,
    FindBaseline,
    InvokeFunction,
    SearchCache,
    SubmitJob,
)
from passrole.engine.facts import (
    BaselineFound,
    CacheSearched,
    EffectFailed,
    ExecutionRetried,
    ExecutionStarted,
    JobEnded,
    JobSubmitted,
    RetryDue,
    StopRequested,
)
from passrole.engine.packed_state import pack, unpack

OF: dict[str, Any] = {"at": 2.0, "step": "C", "attempt": 1}
ARN = "arn:aws:sagemaker:us-east-1:111122223333:processing-job/j"
PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/g/3"
OUTPUTS = {"Outputs": [{"OutputName": "o", "S3Output": {"S3Uri": "s3://b/out/"}}]}
VIOLATED = "CompletedWithViolations: Job completed successfully with 2 violations."
SUPPLIED = {"SuppliedBaselineStatistics": "s3://b/s.json", "SuppliedBaselineConstraints": "s3://b/c.json"}


def uri(name: str) -> dict[str, str]:
    return {"ContentType": "application/json", "S3Uri": f"s3://kept/{name}"}


KEPT: Any = {
    "ModelDataQuality": {"Statistics": uri("ds.json"), "Constraints": uri("dc.json")},
    "ModelQuality": {"Statistics": uri("ms.json"), "Constraints": uri("mc.json")},
    "Bias": {"PreTrainingConstraints": uri("pre.json"), "PostTrainingConstraints": uri("post.json")},
    "Explainability": {"Constraints": uri("ex.json")},
}
FOUND = BaselineFound(**OF, package=PACKAGE, baselines=KEPT)


class Run:
    """An execution whose step C is a check, and which a Lambda step follows."""

    def __init__(self, check: str = "DATA_QUALITY", reads: str = "", **members: Any) -> None:
        type_ = "QualityCheck" if check.endswith("QUALITY") else "ClarifyCheck"
        self.member = type_
        step = {"Name": "C", "Type": type_, "CheckType": check, "Arguments": {"RoleArn": "r"}, **members}
        event = {"value": {"Get": f"Steps.C.{reads}"}} if reads else {}
        then = {"Name": "L", "Type": "Lambda", "FunctionArn": "f", "Arguments": event, "DependsOn": ["C"]}
        flags = [{"Name": name, "Type": "Boolean", "DefaultValue": False} for name in ("Skip", "New")]
        texts = [{"Name": "Supplied", "Type": "String", "DefaultValue": ""}]
        document = {"Version": "2020-12-01", "Parameters": [*flags, *texts], "Steps": [step, then]}
        self.pipeline = parse(json.dumps(document))
        self.state: State = begin(self.pipeline)

    def start(self, **given: Any) -> list[Any]:
        return self.tell(
            ExecutionStarted(
                at=1.0,
                seed="s",
                pipeline_name="p",
                pipeline_arn="arn:p",
                execution_id="abcdefghijkl",
                execution_arn="arn:p/execution/abcdefghijkl",
                parameters={"Skip": False, "New": False, "Supplied": "", **given},
            )
        )

    def tell(self, *facts: Any) -> list[Any]:
        """What is asked for; the journal and a packed state give the same state."""
        asked: list[Any] = []
        for fact in facts:
            decision = decide(self.state, fact)
            assert fold(self.state, decision.facts) == decision.state
            assert unpack(pack(decision.state), self.pipeline) == decision.state
            self.state, asked = decision.state, [*asked, *decision.commands]
        return asked

    def end(self, message: str | None = None, attempt: int = 1) -> list[Any]:
        """The job is taken and completes."""
        of = {**OF, "attempt": attempt}
        described: Any = {"ProcessingOutputConfig": OUTPUTS, "ExitMessage": message}
        taken = JobSubmitted(**of, handle={self.member: {"CheckJobArn": ARN}})
        return self.tell(taken, JobEnded(**of, succeeded=True, properties=described))

    @property
    def reason(self) -> str | None:
        return self.state.steps["C"].failure_reason

    @property
    def metadata(self) -> Mapping[str, Any]:
        return self.state.steps["C"].metadata[self.member]


def inputs(command: Any) -> dict[str, str]:
    """The earlier baseline that a job gets: variables of its environment with the URIs behind them."""
    given = command.request.get("ProcessingInputs", [])
    placed = {each["S3Input"]["LocalPath"]: each["S3Input"]["S3Uri"] for each in given}
    found = {}
    for name, path in command.request.get("Environment", {}).items():
        folder, _, file = path.rpartition("/")
        assert placed[folder].endswith(file)
        found[name] = placed[folder]
    return found


def test_the_model_of_a_check_is_named_to_its_job() -> None:
    given: Any = {"Arguments": {"RoleArn": "r", "Environment": {"own": "1"}}, "ModelName": "m"}
    run = Run("MODEL_BIAS", SkipCheck=True, RegisterNewBaseline=True, **given)
    (command,) = run.start()
    assert isinstance(command, SubmitJob)
    assert command.request["Environment"] == {"own": "1", "model_name": "m"}


def test_a_check_of_data_names_no_model() -> None:
    run = Run("DATA_BIAS", SkipCheck=True, RegisterNewBaseline=True)
    (command,) = run.start()
    assert isinstance(command, SubmitJob) and "Environment" not in command.request


EARLIER = {"baseline_statistics": "s3://kept/ds.json", "baseline_constraints": "s3://kept/dc.json"}
CALCULATED = {
    "CalculatedBaselineStatistics": "s3://b/out/statistics.json",
    "CalculatedBaselineConstraints": "s3://b/out/constraints.json",
}


@pytest.mark.parametrize(
    ("skip", "new", "compares", "used"),
    [
        (False, False, True, "s3://kept/dc.json"),
        (False, True, True, "s3://b/out/constraints.json"),
        (True, False, False, "s3://kept/dc.json"),
    ],
)
def test_an_earlier_baseline_is_looked_for_where_it_is_needed(
    skip: bool, new: bool, compares: bool, used: str
) -> None:
    flags: Any = {"SkipCheck": {"Get": "Parameters.Skip"}, "RegisterNewBaseline": {"Get": "Parameters.New"}}
    run = Run(ModelPackageGroupName="G", **flags)
    assert run.start(Skip=skip, New=new) == [FindBaseline(step="C", attempt=1, group="G")]
    assert run.state.steps["C"].status == "Starting"
    (submit,) = run.tell(FOUND)
    assert inputs(submit) == (EARLIER if compares else {})
    assert run.metadata == {
        "CheckType": "DATA_QUALITY",
        "SkipCheck": skip,
        "RegisterNewBaseline": new,
        "ModelPackageGroupName": "G",
    }
    (invoked,) = run.end()
    assert isinstance(invoked, InvokeFunction)
    assert run.metadata["BaselineUsedForDriftCheckConstraints"] == used
    assert run.metadata.items() >= CALCULATED.items() and "ViolationReport" not in run.metadata
    assert run.metadata["CheckJobArn"] == ARN and run.metadata["SkipCheck"] is skip


def test_the_first_baseline_needs_no_earlier_one() -> None:
    run = Run(ModelPackageGroupName="G", SkipCheck=True, RegisterNewBaseline=True)
    (submit,) = run.start()
    assert isinstance(submit, SubmitJob) and inputs(submit) == {}
    run.end(VIOLATED)  # nothing was compared
    assert run.state.steps["C"].status == "Succeeded"
    assert run.metadata["BaselineUsedForDriftCheckStatistics"] == "s3://b/out/statistics.json"


@pytest.mark.parametrize(
    ("check", "constraints"),
    [
        ("DATA_QUALITY", "dc"),
        ("MODEL_QUALITY", "mc"),
        ("DATA_BIAS", "pre"),
        ("MODEL_BIAS", "post"),
        ("MODEL_EXPLAINABILITY", "ex"),
    ],
)
def test_each_type_of_check_has_its_own_baseline_of_a_package(check: str, constraints: str) -> None:
    run = Run(check, ModelPackageGroupName="G")
    run.start()
    (submit,) = run.tell(FOUND)
    assert inputs(submit)["baseline_constraints"] == f"s3://kept/{constraints}.json"
    assert ("baseline_statistics" in inputs(submit)) == check.endswith("QUALITY")
    run.end()
    file = "constraints" if check.endswith("QUALITY") else "analysis"
    assert run.metadata["CalculatedBaselineConstraints"] == f"s3://b/out/{file}.json"


def test_what_is_supplied_is_preferred_file_by_file() -> None:
    run = Run(ModelPackageGroupName="G", **SUPPLIED)
    (submit,) = run.start()
    assert inputs(submit) == {"baseline_statistics": "s3://b/s.json", "baseline_constraints": "s3://b/c.json"}
    half = Run(ModelPackageGroupName="G", SuppliedBaselineConstraints="s3://b/c.json")
    assert [type(each) for each in half.start()] == [FindBaseline]
    (submit,) = half.tell(FOUND)
    assert inputs(submit) == {**EARLIER, "baseline_constraints": "s3://b/c.json"}


def test_an_empty_parameter_supplies_nothing() -> None:
    supplied = {"Get": "Parameters.Supplied"}
    run = Run("DATA_BIAS", ModelPackageGroupName="G", SuppliedBaselineConstraints=supplied)
    assert [type(each) for each in run.start()] == [FindBaseline]
    again = Run("DATA_BIAS", ModelPackageGroupName="G", SuppliedBaselineConstraints=supplied)
    (submit,) = again.start(Supplied="s3://b/x.json")
    assert inputs(submit) == {"baseline_constraints": "s3://b/x.json"}


@pytest.mark.parametrize(
    ("group", "found", "words"),
    [
        (
            None,
            None,
            "the step names no model package group and supplies no file of statistics and constraints",
        ),
        ("G", BaselineFound(**OF), "the model package group G has no approved package"),
        ("G", BaselineFound(**OF, package=PACKAGE), f"the approved package {PACKAGE} has no statistics and"),
        (
            "G",
            BaselineFound(**OF, package=PACKAGE, baselines={"ModelDataQuality": None}),
            "has no statistics",
        ),
    ],
)
@pytest.mark.parametrize("flags", [{"SkipCheck": True}, {"RegisterNewBaseline": True}, {}])
def test_without_an_earlier_baseline_the_step_fails(
    group: str | None, found: Any, words: str, flags: Any
) -> None:
    run = Run(ModelPackageGroupName=group, **flags)
    asked = run.start()
    if found is not None:
        assert [type(each) for each in asked] == [FindBaseline]
        asked = run.tell(found)
    assert asked == [] and run.state.is_over and run.state.status == "Failed"
    assert run.reason is not None and words in run.reason
    assert run.reason.startswith("ClientError: No earlier baseline for the check DATA_QUALITY: ")
    assert "SkipCheck and RegisterNewBaseline to true" in run.reason


@pytest.mark.parametrize(
    ("check", "word"), [("DATA_QUALITY", "Quality"), ("MODEL_QUALITY", "Quality"), ("DATA_BIAS", "Clarify")]
)
@pytest.mark.parametrize("fails", [None, True])
def test_a_violation_fails_the_step_and_the_report_is_shown(check: str, word: str, fails: Any) -> None:
    run = Run(
        check, FailOnViolation=fails, **{k: SUPPLIED[k] for k in SUPPLIED if word == "Quality" or "Con" in k}
    )
    run.start()
    assert run.end(VIOLATED) == []
    report = "s3://b/out/constraint_violations.json"
    assert run.reason == f"ClientError: {word} check failed. See violation report {report}"
    assert run.metadata["ViolationReport"] == report
    assert run.metadata["BaselineUsedForDriftCheckConstraints"] == "s3://b/c.json"


def test_a_violation_may_be_borne() -> None:
    run = Run(FailOnViolation=False, reads="BaselineUsedForDriftCheckStatistics", **SUPPLIED)
    run.start()
    (invoked,) = run.end(VIOLATED)
    assert invoked.payload == {"value": "s3://b/s.json"}
    assert run.metadata["ViolationReport"] == "s3://b/out/constraint_violations.json"


def test_a_new_baseline_is_what_others_refer_to() -> None:
    run = Run(RegisterNewBaseline=True, reads="BaselineUsedForDriftCheckConstraints", **SUPPLIED)
    run.start()
    (invoked,) = run.end()
    assert invoked.payload == {"value": "s3://b/out/constraints.json"}


def test_a_flag_that_is_no_boolean_fails_the_step() -> None:
    run = Run(SkipCheck={"Get": "Parameters.Supplied"}, **SUPPLIED)
    assert run.start() == [] and run.reason == "ClientError: The value of SkipCheck is not a Boolean."


def test_stopped_while_it_looks_the_step_is_over_and_looks_again_after_a_retry() -> None:
    run = Run(ModelPackageGroupName="G")
    run.start()
    assert run.tell(StopRequested(at=3.0)) == [] and run.state.status == "Stopped"
    assert run.tell(FOUND) == []
    asked = run.tell(ExecutionRetried(at=4.0))
    assert asked == [FindBaseline(step="C", attempt=2, group="G")]
    (submit,) = run.tell(BaselineFound(at=5.0, step="C", attempt=2, package=PACKAGE, baselines=KEPT))
    assert submit.attempt == 2 and inputs(submit) == EARLIER


def test_a_look_that_is_refused_fails_the_step() -> None:
    run = Run(ModelPackageGroupName="G")
    run.start()
    assert (
        run.tell(EffectFailed(**OF, reason="ClientError: denied")) == []
        and run.reason == "ClientError: denied"
    )


def test_another_attempt_has_the_same_baseline_and_a_stop_ends_its_job() -> None:
    policy = {"ExceptionType": ["SageMaker.JOB_INTERNAL_ERROR"], "MaxAttempts": 1}
    run = Run(ModelPackageGroupName="G", RetryPolicies=[policy])
    run.start()
    (first,) = run.tell(FOUND)
    lost = JobEnded(**OF, succeeded=False, reason="r", error="SageMaker.JOB_INTERNAL_ERROR")
    (wait,) = run.tell(JobSubmitted(**OF, handle={"QualityCheck": {"CheckJobArn": ARN}}), lost)
    assert isinstance(wait, AwaitRetry)
    (second,) = run.tell(RetryDue(at=9.0, step="C", attempt=2))
    assert inputs(second) == inputs(first) and second.name != first.name
    taken = JobSubmitted(at=9.0, step="C", attempt=2, handle={"QualityCheck": {"CheckJobArn": "arn:2"}})
    (cancel,) = run.tell(taken, StopRequested(at=9.0))
    assert cancel == CancelJob(step="C", attempt=2, kind="QualityCheck", handle={"Arn": "arn:2"})


def cached(**members: Any) -> str:
    run = Run(CacheConfig={"Enabled": True}, ModelPackageGroupName="G", **members)
    (search,) = run.start()
    assert isinstance(search, SearchCache)
    return search.digest


def test_a_result_is_taken_over_without_a_look_for_a_baseline() -> None:
    run = Run(CacheConfig={"Enabled": True}, ModelPackageGroupName="G", reads="CalculatedBaselineConstraints")
    (search,) = run.start()
    assert isinstance(search, SearchCache)
    metadata = {"QualityCheck": {"CalculatedBaselineConstraints": "s3://earlier/c.json"}}
    (invoked,) = run.tell(CacheSearched(**OF, source="arn:earlier", metadata=metadata))
    assert invoked.payload == {"value": "s3://earlier/c.json"}


def test_a_result_that_is_not_there_is_followed_by_the_look() -> None:
    run = Run(CacheConfig={"Enabled": True}, ModelPackageGroupName="G")
    run.start()
    assert run.tell(CacheSearched(**OF)) == [FindBaseline(step="C", attempt=1, group="G")]
    assert [type(each) for each in run.tell(FOUND)] == [SubmitJob]


@pytest.mark.parametrize(
    ("members", "is_same"),
    [
        ({}, True),
        ({"FailOnViolation": False}, True),
        ({"SuppliedBaselineConstraints": None}, True),
        ({"SkipCheck": True}, False),
        ({"RegisterNewBaseline": True}, False),
        ({"SuppliedBaselineConstraints": "s3://b/c.json"}, False),
        ({"Arguments": {"RoleArn": "other"}}, False),
    ],
)
def test_the_members_that_aws_names_are_the_cache_key(members: Mapping[str, Any], is_same: bool) -> None:
    assert (cached(**members) == cached()) is is_same
