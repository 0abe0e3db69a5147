"""`passrole check`: exit codes and the four formats. The verdicts themselves are tested in tests/needs."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner, Result
from tests.cli.conftest import TRAINING
from tests.conftest import Server, new_name
from tests.policies import allowing

from passrole.cli import main

FUNCTION = "arn:aws:lambda:eu-west-1:123456789012:function:"
Write = Callable[[str, Any], str]


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments], prog_name="passrole")


def invoking(name: str, **more: Any) -> dict[str, Any]:
    step = {"Name": "Run", "Type": "Lambda", "FunctionArn": FUNCTION + name, "Arguments": {}, **more}
    return {"Version": "2020-12-01", "Steps": [step]}


def trusting(service: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def test_all_allowed_is_0_and_the_count_is_the_last_line(write: Write) -> None:
    result = check(write("p.json", invoking("my-sagemaker-f")), "--managed-version", "v3")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "3 of 3 allowed")


def test_something_missing_is_1_and_its_reason_stands_under_it(write: Write) -> None:
    result = check(write("p.json", invoking("my-f")), "--managed-version", "v3")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    at = lines.index(f"  missing  lambda:InvokeFunction on {FUNCTION}my-f")
    assert (
        lines[at + 1]
        .strip()
        .endswith("only on names containing `sagemaker`, `sageMaker` or `SageMaker`; this function is `my-f`")
    )
    assert lines[-1] == "1 of 3 allowed"
    assert "\x1b" not in result.stdout


@pytest.mark.parametrize(
    "arguments, message",
    [
        ("{good}", "no role to check: pass --policy, --managed-version or --role"),
        ("{good} --role x --policy {policy}", "--role brings its own policies"),
        ("{broken} --managed-version v3", "Malformed"),
        ("{empty} --managed-version v3", "the definition has no list of `Steps`"),
        ("{good} --policy {empty}", "is not a usable policy"),
        ("{good} --policy {broken}", "is not a usable policy"),
        ("{good} --policy {policy} --trust {policy}", "is not a usable policy"),
        ("{good} --managed-version v3 -p x=1", "has no parameter `x`"),
        ("{good} --managed-version v9", "'v9' is not one of"),
        ("{good} --role x --data {folder}", "is not a data folder yet"),
    ],
)
def test_unusable_input_is_2_and_one_line(write: Write, tmp_path: Path, arguments: str, message: str) -> None:
    files = {
        "good": write("good.json", invoking("f")),
        "policy": write("policy.json", allowing("*")),
        "broken": write("broken.json", "{"),
        "empty": write("empty.json", {}),
        "folder": str(tmp_path / "none"),
    }
    result = check(*arguments.format(**files).split())
    assert result.exit_code == 2
    assert message in result.stderr
    assert (result.stderr.count("\n"), result.stdout) == (1, "")


def test_json_has_its_shape(write: Write) -> None:
    file = write("p.json", invoking("my-f"))
    policy = write("role.json", allowing("lambda:GetFunction", "sqs:SendMessage"))
    result = check(file, "--policy", policy, "--format", "json")
    found = json.loads(result.stdout)
    assert result.exit_code == 1
    assert list(found) == [
        *("ok", "needs", "caller", "job_roles", "unknown", "unused", "warnings", "images"),
        *("file", "role", "findings", "suppressed"),
    ]
    assert found["ok"] is False
    get, invoke = found["needs"]
    assert get["allowed"] is True and get["reason"] is None and get["grant"] is None
    assert invoke == {
        "step": "Run",
        "action": "lambda:InvokeFunction",
        "resource": f"{FUNCTION}my-f",
        "context": {
            "aws:RequestedRegion": "eu-west-1",
            "aws:SecureTransport": "true",
            "aws:ViaAWSService": "false",
        },
        "why": "invokes it",
        "when": "start",
        "is_pattern": False,
        "required": True,
        "optional": None,
        "role": None,
        "allowed": False,
        "verdict": "denied",
        "layer": "identity",
        "reason": "User: arn:aws:sts::123456789012:assumed-role/execution-role/SageMaker is not authorized "
        f"to perform: lambda:InvokeFunction on resource: {FUNCTION}my-f because no identity-based policy "
        "allows the lambda:InvokeFunction action",
        "near_misses": [
            "statement 1 of role.json allows `lambda:GetFunction`, but not lambda:InvokeFunction"
        ],
        "grant": {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": f"{FUNCTION}my-f"},
    }
    assert found["unused"] == [
        {"policy": "role.json", "statement": 0, "sid": None, "actions": ["sqs:SendMessage"]}
    ]
    assert {each["allowed"] for each in found["caller"]} == {None}


def test_boundary_trust_and_caller_are_judged_too(write: Write) -> None:
    arguments = [
        write("p.json", invoking("f")),
        "--policy",
        write("all.json", allowing("*")),
        "--format=json",
    ]
    boundary = write("boundary.json", allowing("lambda:GetFunction"))
    trust = write("trust.json", trusting("ec2.amazonaws.com"))
    caller = write("caller.json", allowing("sagemaker:*"))
    assert check(*arguments).exit_code == 0
    bounded = json.loads(check(*arguments, "--boundary", boundary).stdout)
    assert [each["layer"] for each in bounded["needs"] if not each["allowed"]] == ["boundary"]
    distrusted = json.loads(check(*arguments, "--trust", trust).stdout)
    assert [each["action"] for each in distrusted["needs"] if not each["allowed"]] == ["sts:AssumeRole"]
    called = json.loads(check(*arguments, "--caller", caller).stdout)
    assert [each["action"] for each in called["caller"] if not each["allowed"]] == ["iam:PassRole"]
    assert called["ok"] is False


def test_tags_that_nobody_may_give_fail_nothing(write: Write) -> None:
    caller = allowing("sagemaker:CreatePipeline", "sagemaker:StartPipelineExecution", "iam:PassRole")
    everything = write("all.json", allowing("*"))
    result = check(
        write("p.json", invoking("f")), "--policy", everything, "--caller", write("caller.json", caller)
    )
    assert result.exit_code == 0
    assert "missing  sagemaker:AddTags" in result.stdout


def test_a_step_of_an_unknown_type_is_told_and_fails_nothing(write: Write) -> None:
    file = write("p.json", {"Version": "2020-12-01", "Steps": [{"Name": "L", "Type": "Athena"}]})
    result = check(file, "--managed-version", "v3")
    assert result.exit_code == 0
    assert "the needs of steps of type `Athena` are unknown" in result.stdout
    assert result.stdout.splitlines()[-1] == "1 of 1 allowed; 1 of the steps not known"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"FunctionArn": 1}, "Value for 'FunctionArn' must be of type"),
        ({"Expression": 1}, "Cannot parse object, unknown property 'Expression'. (at Steps[0].Expression)"),
        ({"DependsOn": ["No"]}, "Step 'Run' depends on step 'No', which does not exist"),
        ({"Type": "Lamda"}, "Value 'Lamda' for 'Type' failed to satisfy enum value set"),
    ],
)
def test_what_createpipeline_refuses_is_an_error_in_its_words(
    server: Server, write: Write, changes: dict[str, Any], says: str
) -> None:
    definition = invoking("my-sagemaker-f", **changes)
    file = write("p.json", definition)
    result = check(file, "--managed-version", "v3", "--format", "json")
    found = [each for each in json.loads(result.stdout)["findings"] if each["code"] == "PR212"]
    assert (result.exit_code, [each["path"] for each in found]) == (1, ["Steps[0]"]), found
    assert says in found[0]["message"]
    sagemaker = server.client("sagemaker")
    with pytest.raises(ClientError) as refused:
        sagemaker.create_pipeline(
            PipelineName=new_name("refused"),
            RoleArn=server.access["role_arn"],
            PipelineDefinition=json.dumps(definition),
        )
    assert refused.value.response["Error"]["Message"] in found[0]["message"]
    assert check(file, "--managed-version", "v3", "--ignore", "PR1", "--ignore", "PR212").exit_code == 0


def test_what_getpolicyversion_answers_is_taken_for_its_document(write: Write) -> None:
    saved = write("saved.json", {"PolicyVersion": {"VersionId": "v1", "Document": allowing("lambda:*")}})
    assert check(write("p.json", invoking("f")), "--policy", saved).exit_code == 0


def test_sarif_names_file_rules_and_results(write: Write) -> None:
    file = write("p.json", invoking("my-Sagemaker-f"))
    found = json.loads(check(file, "--managed-version", "v3", "--format", "sarif").stdout)
    assert found["version"] == "2.1.0"
    (run,) = found["runs"]
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {
        result["ruleId"] for result in run["results"]
    }
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("PR103", "note"),
        ("PR101", "error"),
        ("PR202", "warning"),
    ]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert {place["artifactLocation"]["uri"] for place in places} == {Path(file).as_posix()}


def test_junit_is_well_formed_whatever_the_step_is_called(write: Write) -> None:
    steps = [*invoking("my-f", Name='<&"\x00\x1b]]>')["Steps"], {"Name": "L", "Type": "Athena"}]
    file = write("p.json", {"Steps": steps})
    result = check(file, "--managed-version", "v3", "--format", "junit")
    suite = ElementTree.fromstring(result.stdout)
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("4", "1", "2")
    assert len(suite.findall("testcase")) == 4
    assert len(suite.findall("testcase/failure")) == 1
    assert len(suite.findall("testcase/skipped")) == 2
    assert "\x1b" not in check(file, "--managed-version", "v3").stdout


def test_a_role_of_the_server_is_read_with_all_it_has(server: Server, write: Write) -> None:
    file = write("p.json", invoking("my-f"))
    role = server.role([allowing("lambda:GetFunction"), allowing("lambda:InvokeFunction")])
    place = ("--data", str(server.data))
    elsewhere = check(file, "--role", role, *place)
    assert (elsewhere.exit_code, "is in another account" in elsewhere.stdout) == (0, True)
    strange = server.role([allowing("*")], trust="ec2.amazonaws.com")
    assert "missing  sts:AssumeRole" in check(file, "--role", strange, *place).stdout
    nobody = check(file, "--role", "nobody", *place)
    assert (nobody.exit_code, "NoSuchEntity" in nobody.stderr) == (2, True)


def test_a_chosen_version_takes_the_place_of_the_attached_one(server: Server, write: Write) -> None:
    file = write("p.json", invoking("my-sagemaker-f"))
    arguments = (file, "--role", server.access["role_name"], "--data", str(server.data))
    assert check(*arguments).exit_code == 0
    older = check(*arguments, "--managed-version", "v1")
    assert older.exit_code == 0  # the function is invoked all the same
    assert "optional lambda:GetFunction" in older.stdout
    assert "since v2: lambda:GetFunction" in older.stdout


def test_it_imports_neither_clients_nor_server(write: Write) -> None:
    file = write("p.json", invoking("my-sagemaker-f"))
    script = (
        "import sys; from passrole.cli import main\n"
        f"main(['check', {file!r}, '--managed-version', 'v3'], standalone_mode=False)\n"
        "print([name for name in ('boto3', 'botocore', 'rich', 'uvicorn', 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def on(resource: str, *actions: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [*actions], "Resource": resource, **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def enough(region: str = "us-east-1") -> list[dict[str, Any]]:
    """What a role was given with which such a pipeline succeeded at AWS."""
    here = f"arn:aws:sagemaker:{region}:111122223333"
    jobs = ("sagemaker:CreateTrainingJob", "sagemaker:DescribeTrainingJob", "sagemaker:AddTags")
    packages = ("sagemaker:CreateModelPackage", "sagemaker:DescribeModelPackage", "sagemaker:AddTags")
    return [
        on(f"{here}:training-job/pipelines-*", *jobs),
        on(f"{here}:model-package/churn/*", *packages),
        on(f"{here}:model-package-group/churn", "sagemaker:CreateModelPackageGroup", "sagemaker:AddTags"),
        on("arn:aws:iam::111122223333:role/jobs", "iam:PassRole"),
    ]


def test_a_role_with_which_it_succeeds_is_told_to_be_enough_and_less_is_not(write: Write) -> None:
    file = write("p.json", TRAINING)
    assert check(file, "--policy", write("role.json", document(*enough()))).exit_code == 0
    for index, statement in enumerate(enough()):
        for action in statement["Action"]:
            if action == "sagemaker:AddTags" and ":model-package/" in statement["Resource"]:
                continue  # a version cannot be tagged: its group is
            less = enough()
            less[index]["Action"] = [other for other in statement["Action"] if other != action]
            less[index]["Action"] = less[index]["Action"] or ["sqs:SendMessage"]
            result = check(file, "--policy", write("less.json", document(*less)))
            assert (result.exit_code, f"missing  {action}" in result.stdout) == (1, True), action


def test_a_policy_for_a_part_of_the_names_may_do_and_is_no_yes(write: Write) -> None:
    partly = enough()
    partly[0]["Resource"] = partly[0]["Resource"].replace("pipelines-*", "pipelines-*-Train-*")
    result = check(
        write("p.json", TRAINING), "--policy", write("role.json", document(*partly)), "--format=json"
    )
    found = json.loads(result.stdout)
    verdicts = {each["action"]: each["verdict"] for each in found["needs"] if each["step"] == "Train"}
    assert (result.exit_code, found["ok"]) == (1, False)
    assert verdicts["sagemaker:CreateTrainingJob"] == "maybe"
    assert verdicts["iam:PassRole"] == "allowed"
    text = check(write("p.json", TRAINING), "--policy", write("role.json", document(*partly))).stdout
    assert "  maybe    sagemaker:CreateTrainingJob" in text


@pytest.mark.parametrize("region, code", [("us-east-1", 0), ("eu-central-1", 1)])
def test_a_region_lock_counts_as_it_does_when_it_runs(write: Write, region: str, code: int) -> None:
    lock = on("*", "*") | {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"]}
    del lock["Action"]
    lock["Condition"] = {"StringNotEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]}}
    policy = write("lock.json", document(on("*", "*"), lock))
    pipeline = invoking("f")
    pipeline["Steps"][0]["FunctionArn"] = f"arn:aws:lambda:{region}:111122223333:function:f"
    assert check(write("p.json", pipeline), "--policy", policy).exit_code == code


@pytest.mark.parametrize(
    "key, value, code",
    [
        ("aws:SourceArn", "arn:aws:sagemaker:*:123456789012:pipeline/*", 0),
        ("aws:SourceArn", "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p/*", 0),
        ("aws:SourceArn", "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/p", 1),  # is no execution's
        ("aws:SourceArn", "arn:aws:sagemaker:eu-west-1:123456789012:pipeline/another/*", 1),
        ("aws:SourceArn", "arn:aws:sagemaker:us-east-1:123456789012:pipeline/*", 1),
        ("aws:SourceAccount", "123456789012", 0),
        ("aws:SourceAccount", "999988887777", 1),
    ],
)
def test_a_trust_policy_against_the_confused_deputy_is_asked_with_its_keys(
    write: Write, key: str, value: str, code: int
) -> None:
    trust = trusting("sagemaker.amazonaws.com")
    trust["Statement"][0]["Condition"] = {"StringLike": {key: value}}
    everything = write("all.json", allowing("*"))
    file = write("p.json", invoking("f"))
    assert check(file, "--policy", everything, "--trust", write("trust.json", trust)).exit_code == code


def test_tags_of_the_role_and_of_the_step_are_compared(write: Write) -> None:
    same = {"StringEquals": {"aws:RequestTag/team": "${aws:PrincipalTag/team}"}}
    pipeline = {**TRAINING, "Steps": [dict(TRAINING["Steps"][0])]}
    pipeline["Steps"][0]["Arguments"] = {
        **TRAINING["Steps"][0]["Arguments"],
        "Tags": [{"Key": "team", "Value": "a"}],
    }
    create = on("*", "sagemaker:CreateTrainingJob", "sagemaker:AddTags", Condition=same)
    follow = on("*", "sagemaker:Describe*", "iam:PassRole")
    file, policy = write("p.json", pipeline), write("role.json", document(create, follow))
    codes = [check(file, "--policy", policy, "--role-tag", f"team={team}").exit_code for team in "ab"]
    assert [*codes, check(file, "--policy", policy).exit_code] == [0, 1, 1]


def test_what_the_jobs_own_role_needs_is_listed_and_with_job_role_judged(write: Write) -> None:
    file, role = write("p.json", TRAINING), write("role.json", document(*enough()))
    listed = check(file, "--policy", role)
    heading = "Train: the job's own role arn:aws:iam::111122223333:role/jobs"
    assert heading in listed.stdout.splitlines()
    assert "  needs    s3:GetObject on arn:aws:s3:::in/train*" in listed.stdout
    assert "  needs    s3:PutObject on arn:aws:s3:::out/models/*" in listed.stdout
    good = document(
        on("arn:aws:s3:::in", "s3:ListBucket", Condition={"StringLike": {"s3:prefix": "train*"}}),
        on("arn:aws:s3:::in/*", "s3:GetObject"),
        on("arn:aws:s3:::out/models/*", "s3:PutObject"),
        on("*", "logs:*", "ecr:*"),
    )
    judged = check(file, "--policy", role, "--job-role", write("job.json", good))
    assert (judged.exit_code, "optional cloudwatch:PutMetricData" in judged.stdout) == (0, True)
    good["Statement"][2]["Resource"] = "arn:aws:s3:::out/other/*"
    lacking = check(file, "--policy", role, "--job-role", write("job.json", good))
    assert (lacking.exit_code, "missing  s3:PutObject on arn:aws:s3:::out/models/*" in lacking.stdout) == (
        1,
        True,
    )


def test_every_format_shows_the_jobs_own_role_and_what_a_run_can_do_without(write: Write) -> None:
    file, role = write("p.json", TRAINING), write("role.json", document(*enough()))
    job = write("job.json", allowing("logs:*"))
    found = json.loads(check(file, "--policy", role, "--job-role", job, "--format=json").stdout)
    assert {(each["role"], each["step"]) for each in found["job_roles"]} == {
        ("arn:aws:iam::111122223333:role/jobs", "Train")
    }
    assert [each["action"] for each in found["needs"] if not each["required"]] == [
        "sagemaker:StopTrainingJob"
    ]
    unjudged = json.loads(check(file, "--policy", role, "--format=json").stdout)
    assert {each["verdict"] for each in unjudged["job_roles"]} == {None}

    sarif = json.loads(check(file, "--policy", role, "--job-role", job, "--format=sarif").stdout)
    levels = {result["properties"]["action"]: result["level"] for result in sarif["runs"][0]["results"]}
    assert levels["sagemaker:StopTrainingJob"] == levels["cloudwatch:PutMetricData"] == "note"
    assert levels["s3:PutObject"] == "error"
    sarif = json.loads(check(file, "--policy", role, "--format=sarif").stdout)
    assert {result["level"] for result in sarif["runs"][0]["results"]} == {"note"}

    suite = ElementTree.fromstring(check(file, "--policy", role, "--job-role", job, "--format=junit").stdout)
    failed = {case.get("name", "").partition(" ")[0] for case in suite if case.find("failure") is not None}
    assert {"s3:GetObject", "s3:PutObject", "s3:ListBucket"} <= failed
    assert "sagemaker:StopTrainingJob" not in failed
    suite = ElementTree.fromstring(check(file, "--policy", role, "--format=junit").stdout)
    assert (suite.get("failures"), len(suite.findall("testcase/skipped"))) == (
        "0",
        1 + len(unjudged["job_roles"]),
    )


@pytest.mark.parametrize("value", ["none.json", "{job} {job} nobody"])
def test_a_job_role_that_cannot_be_read_is_unusable_input(write: Write, tmp_path: Path, value: str) -> None:
    job = write("job.json", allowing("logs:*"))
    options = [part for each in value.format(job=job).split() for part in ("--job-role", each)]
    place = ("--data", str(tmp_path / "none"))
    result = check(write("p.json", TRAINING), "--policy", job, *options, *place)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


def test_a_job_role_by_name_is_read_at_the_server(server: Server, write: Write) -> None:
    file, policy = write("p.json", TRAINING), write("role.json", document(*enough()))
    job = server.role([allowing("s3:*", "logs:*", "ecr:*")]).rpartition("/")[2]
    options = (file, "--policy", policy, "--job-role", job, "--data", str(server.data))
    assert check(*options).exit_code == 0
    less = server.role([allowing("s3:GetObject")]).rpartition("/")[2]
    assert check(*options[:-3], less, *options[-2:]).exit_code == 1


def test_who_may_start_and_approve_is_warned_of_as_role_and_as_caller(write: Write) -> None:
    queue = "https://sqs.us-east-1.amazonaws.com/111122223333/sagemaker-q"
    step = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue, "Arguments": {}}
    pipeline = write("p.json", {"Version": "2020-12-01", "Steps": [step]})
    both = write("both.json", allowing("sqs:SendMessage", "sagemaker:*"))
    sends = write("sends.json", allowing("sqs:SendMessage"))
    told = "may both start the pipeline and approve step `Ask`"
    assert f"the execution role {told}" in check(pipeline, "--policy", both).output
    assert told not in check(pipeline, "--policy", sends).output
    found = json.loads(check(pipeline, "--policy", sends, "--caller", both, "--format", "json").stdout)
    assert any(f"the caller {told}" in str(each) for each in found["warnings"])
