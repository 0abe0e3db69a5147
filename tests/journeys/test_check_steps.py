"""QualityCheck and ClarifyCheck steps: each permission of both roles, and what `check` says of them."""

import json
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.conftest import Server, new_name
from tests.journeys.test_job_steps import Pipelines
from tests.needs.test_against_the_door import asked_for, fits
from tests.policies import allowing
from tests.runtimes.programs.analyser_job import WITH_PANDAS
from tests.services.sagemaker.jobs.workshop import Workshop

from passrole.needs import (
    Need,
    Place,
    evaluate_needs,
    execution_role_session,
    keys_of_calls,
    needs_of_job_roles,
    needs_of_role,
    read_definition,
)
from passrole.policy import PolicySet, parse_document

ANALYSER = "156813124566.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
FOLDER = "/opt/ml/processing"
FILES = ("Statistics", "Constraints")
LOOKS = ("sagemaker:ListModelPackages", "sagemaker:DescribeModelPackage")
NEEDED = (
    *("sagemaker:CreateProcessingJob", "iam:PassRole", "sagemaker:AddTags"),
    *("sagemaker:DescribeProcessingJob", *LOOKS),
)
LOGS = allowing("logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("sandboxed"),
    pytest.mark.skipif(WITH_PANDAS is None, reason="no interpreter has pandas"),
]


class Checks:
    """A dataset, and a group whose approved package has a baseline in a bucket of its own."""

    def __init__(self, server: Server) -> None:
        self.server, self.pipelines = server, Pipelines(Workshop(server))
        s3, sagemaker = server.client("s3"), server.client("sagemaker")
        self.data, self.kept, self.group = new_name("checked"), new_name("kept"), new_name("group")
        for bucket in (self.data, self.kept):
            s3.create_bucket(Bucket=bucket)
        s3.put_object(Bucket=self.data, Key="in/d.csv", Body=b"a,b\n1,2\n3,4\n")
        features = {"features": [{"name": "a"}, {"name": "b"}]}
        for name in ("statistics", "constraints"):
            s3.put_object(Bucket=self.kept, Key=f"{name}.json", Body=json.dumps(features).encode())
        uris = {
            name: {"ContentType": "application/json", "S3Uri": f"s3://{self.kept}/{name.lower()}.json"}
            for name in FILES
        }
        sagemaker.create_model_package_group(ModelPackageGroupName=self.group)
        sagemaker.create_model_package(
            ModelPackageGroupName=self.group,
            ModelApprovalStatus="Approved",
            InferenceSpecification={
                "Containers": [{"Image": ANALYSER}],
                "SupportedContentTypes": ["text/csv"],
            },
            DriftCheckBaselines={
                "ModelDataQuality": uris,
                "Bias": {"PreTrainingConstraints": uris["Constraints"]},
            },
        )

    def role_of_jobs(self, *baseline: str) -> str:
        """A role that reads the data, writes results, and may do just this with the earlier baseline."""
        own = allowing("s3:*", resource=f"arn:aws:s3:::{self.data}*")
        kept = [allowing(*baseline, resource=f"arn:aws:s3:::{self.kept}*")] if baseline else []
        return self.server.role([own, LOGS, *kept])

    def step(self, role: str, **members: Any) -> dict[str, Any]:
        source = {"S3Uri": f"s3://{self.data}/in/", "LocalPath": f"{FOLDER}/input", "S3DataType": "S3Prefix"}
        target = {"S3Uri": f"s3://{self.data}/{new_name('out')}", "LocalPath": f"{FOLDER}/output"}
        cluster = {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge", "VolumeSizeInGB": 30}
        output = {"OutputName": "o", "S3Output": {**target, "S3UploadMode": "EndOfJob"}}
        arguments = {
            "AppSpecification": {"ImageUri": ANALYSER},
            "RoleArn": role,
            "Environment": {
                "dataset_source": f"{FOLDER}/input",
                "dataset_format": '{"csv": {"header": true}}',
                "output_path": f"{FOLDER}/output",
            },
            "ProcessingInputs": [{"InputName": "i", "S3Input": {**source, "S3InputMode": "File"}}],
            "ProcessingOutputConfig": {"Outputs": [output]},
            "ProcessingResources": {"ClusterConfig": cluster},
        }
        given = {"CheckType": "DATA_QUALITY", "ModelPackageGroupName": self.group, **members}
        type_ = "ClarifyCheck" if given["CheckType"] == "DATA_BIAS" else "QualityCheck"
        return {"Name": "One", "Type": type_, "Arguments": arguments, **given}

    def needs(self, step: dict[str, Any]) -> list[Need]:
        definition = read_definition(json.dumps({"Version": "2020-12-01", "Steps": [step]}), {})
        place = Place(self.server.region, self.server.account)
        return [*needs_of_role(definition, place), *needs_of_job_roles(definition, place)]


@pytest.fixture(scope="module")
def checks(server: Server) -> Checks:
    return Checks(server)


@pytest.mark.parametrize("check", ["DATA_QUALITY", "DATA_BIAS"])
@pytest.mark.parametrize("action", NEEDED)
def test_a_role_needs_every_permission(checks: Checks, action: str, check: str) -> None:
    step = checks.step(checks.role_of_jobs("s3:*"), CheckType=check)
    (needed,) = {
        each.is_required for each in checks.needs(step) if each.action == action and each.role is None
    }
    without = allowing(*(each for each in NEEDED if each != action))
    ended = checks.pipelines.run(step, policies=[without])["One"]
    assert (needed, ended["StepStatus"]) == (True, "Failed")
    assert f"not authorized to perform: {action}" in ended["FailureReason"]


@pytest.mark.parametrize("action", ["s3:ListBucket", "s3:GetObject"])
def test_the_jobs_role_reads_the_earlier_baseline(checks: Checks, action: str) -> None:
    allowed = [each for each in ("s3:ListBucket", "s3:GetObject") if each != action]
    ended = checks.pipelines.run(checks.step(checks.role_of_jobs(*allowed)), policies=[allowing(*NEEDED)])[
        "One"
    ]
    assert ended["StepStatus"] == "Failed" and action in ended["FailureReason"], ended


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"SkipCheck": True, "RegisterNewBaseline": True},
        {"SkipCheck": True, "RegisterNewBaseline": False},
    ],
    ids=["compared", "begun", "kept"],
)
def test_the_needs_of_a_check_are_what_its_roles_are_asked_for(
    server: Server, checks: Checks, members: Any
) -> None:
    jobs = checks.role_of_jobs("s3:*")
    role, step = server.role([allowing("*")]), checks.step(jobs, **members)
    name, sagemaker = new_name("jobs"), server.client("sagemaker")
    text = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    sagemaker.create_pipeline(PipelineName=name, RoleArn=role, PipelineDefinition=text)
    ended = checks.pipelines.ended(checks.pipelines.start(name))["One"]
    assert ended["StepStatus"] == "Succeeded", ended
    needs = [each for each in checks.needs(step) if each.when != "stop"]
    own = [each for each in needs if each.role is None]
    asked = asked_for(server, role)
    assert not [each for each in asked if not any(fits(need, *each) for need in own)]
    assert not [need for need in own if not any(fits(need, *each) for each in asked)]
    baseline = {(action, resource) for action, resource in asked_for(server, jobs) if checks.kept in resource}
    reads = [each for each in needs if each.role == jobs and each.why == "reads the earlier baseline"]
    assert bool(baseline) is bool(reads)
    for action, resource in baseline:
        assert any(need.action == action and fnmatchcase(resource, need.resource) for need in reads)


ACTIONS = st.lists(st.sampled_from(NEEDED), max_size=1)
FLAG = st.booleans()
GROUPS = st.sampled_from(("*", "{group}/*", "another/*"))
CONDITIONS = st.sampled_from(
    (
        {},
        {"StringLike": {"iam:PassedToService": "sagemaker.*"}},
        {"StringNotEquals": {"sagemaker:InstanceTypes": "ml.m5.large"}},
        {"Null": {"aws:RequestTag/sagemaker:pipeline-step-name": "true"}},
    )
)


def test_checks_go_as_they_were_checked(server: Server, checks: Checks) -> None:
    """With roles and members that are made up: `check` foresees each denial, in the order of the calls."""
    outcomes: list[str] = []

    @settings(
        max_examples=16,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(gone=ACTIONS, flags=st.tuples(FLAG, FLAG, FLAG), group=GROUPS, condition=CONDITIONS)
    def as_checked(gone: list[str], flags: tuple[bool, bool, bool], group: str, condition: Any) -> None:
        outcomes.append(go_as_checked(server, checks, gone, flags, group, condition))

    as_checked()
    assert {"", "sagemaker:ListModelPackages"} < set(outcomes) and len(set(outcomes)) > 3, outcomes


def go_as_checked(
    server: Server,
    checks: Checks,
    gone: list[str],
    flags: tuple[bool, bool, bool],
    group: str,
    condition: Any,
) -> str:
    """The action that was denied, as it was foreseen; empty where none was."""
    skip, new, supplies = flags
    uris = {f"SuppliedBaseline{name}": f"s3://{checks.kept}/{name.lower()}.json" for name in FILES}
    step = checks.step(
        checks.role_of_jobs("s3:*"), SkipCheck=skip, RegisterNewBaseline=new, **(uris if supplies else {})
    )
    jobs = [each for each in NEEDED if each not in (*LOOKS, *gone)]
    packages = f"arn:aws:sagemaker:*:*:model-package/{group.format(group=checks.group)}"
    policies = [allowing(*jobs, Condition=condition)]
    policies += [allowing(each, resource=packages) for each in LOOKS if each not in gone]
    role, name, sagemaker = server.role(policies), new_name("jobs"), server.client("sagemaker")
    text = json.dumps({"Version": "2020-12-01", "Steps": [step]})
    place = Place(server.region, server.account)
    own = tuple((f"p{number}", parse_document(each)) for number, each in enumerate(policies))
    answers = evaluate_needs(
        needs_of_role(read_definition(text, {}), place),
        execution_role_session(role),
        PolicySet(own),
        keys=keys_of_calls(place),
    )
    refused = [each.need for each in answers if not each.allowed and each.need.when != "stop"]
    sagemaker.create_pipeline(PipelineName=name, RoleArn=role, PipelineDefinition=text)
    ended = checks.pipelines.ended(checks.pipelines.start(name))["One"]
    denied = [each for each in denials(server, role) if each[0] != "sagemaker:StopProcessingJob"]
    expected = [each for each in refused if each.is_required][:1]
    assert len(denied) == len(expected), (ended, denied, refused)
    assert all(fits(need, *each) for need, each in zip(expected, denied, strict=True)), (denied, expected)
    assert ended["StepStatus"] == ("Failed" if expected else "Succeeded"), ended
    return denied[0][0] if denied else ""


def denials(server: Server, role: str) -> list[tuple[str, str]]:
    """What the door refused to sessions of the role, in order, each once."""
    session, found = f":assumed-role/{role.rpartition('/')[2]}/", []
    for entry in map(json.loads, (server.data / "audit.jsonl").read_text().splitlines()):
        if session in entry["principal"]:
            found += [(each["action"], each["resource"]) for each in entry["checks"] if not each["allowed"]]
    return list(dict.fromkeys(found))
