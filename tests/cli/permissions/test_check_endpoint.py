"""`passrole check --from-endpoint`: a deployed pipeline, read as any client of AWS's would."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from click.testing import CliRunner, Result
from tests.conftest import Server
from tests.policies import allowing

from passrole.cli import main

NO_SETTINGS = {
    **dict.fromkeys(("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "HTTPS_PROXY")),
    **dict.fromkeys(("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")),
    **dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), "/dev/null"),
    "AWS_EC2_METADATA_DISABLED": "true",
}


def check(environment: Mapping[str, str | None], *arguments: str) -> Result:
    given = {**NO_SETTINGS, **environment}
    arguments = ("check", *arguments, "--from-endpoint")
    return CliRunner(env=given).invoke(main, arguments, prog_name="passrole")


def led_to(server: Server, keys: Mapping[str, str] | None = None) -> dict[str, str | None]:
    """The variables that `passrole env` prints, for the administrator or for a user."""
    chosen = keys or server.access
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_REGION": server.region,
        "AWS_ACCESS_KEY_ID": chosen["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": chosen["secret_access_key"],
    }


def deployed(server: Server, name: str, role: str, *steps: dict[str, Any]) -> str:
    text = json.dumps(
        {
            "Version": "2020-12-01",
            "Parameters": [{"Name": "Queue", "Type": "String"}],
            "Steps": list(steps),
        }
    )
    server.client("sagemaker").create_pipeline(PipelineName=name, RoleArn=role, PipelineDefinition=text)
    return name


def invoking(server: Server, name: str) -> dict[str, Any]:
    arn = f"arn:aws:lambda:{server.region}:{server.account}:function:{name}"
    return {"Name": "Run", "Type": "Lambda", "FunctionArn": arn, "Arguments": {}, "OutputParameters": []}


ASKING = {
    "Name": "Ask",
    "Type": "Callback",
    "SqsQueueUrl": {"Get": "Parameters.Queue"},
    "Arguments": {},
    "OutputParameters": [],
}


def test_the_role_of_a_deployed_pipeline_is_judged_with_all_it_has(server: Server) -> None:
    server.function("endpoint-echo", "def handler(event, context):\n    return event\n")
    role = server.role([allowing("lambda:GetFunction"), allowing("lambda:InvokeFunction")])
    name = deployed(server, "endpoint-good", role, invoking(server, "endpoint-echo"))
    result = check(led_to(server), name)
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "3 of 3 allowed")
    assert "warning" not in result.stdout
    boundary = server.client("iam").create_policy(
        PolicyName="endpoint-boundary", PolicyDocument=json.dumps(allowing("lambda:GetFunction"))
    )["Policy"]["Arn"]
    server.client("iam").put_role_permissions_boundary(
        RoleName=role.rpartition("/")[2], PermissionsBoundary=boundary
    )
    bounded = check(led_to(server), name, "--format", "json")
    refused = [each for each in json.loads(bounded.stdout)["needs"] if not each["allowed"]]
    assert bounded.exit_code == 1
    assert [(each["action"], each["layer"]) for each in refused] == [("lambda:InvokeFunction", "boundary")]


def test_the_version_of_the_managed_policy_can_be_tried(server: Server) -> None:
    server.function("endpoint-sagemaker", "def handler(event, context):\n    return event\n")
    role = server.access["role_arn"]
    name = deployed(server, "endpoint-managed", role, invoking(server, "endpoint-sagemaker"))
    assert check(led_to(server), name).exit_code == 0
    older = check(led_to(server), name, "--managed-version", "v1")
    assert (older.exit_code, "since v2: lambda:GetFunction" in older.stdout) == (0, True)


def test_what_is_not_there_is_warned_of_and_fails_nothing(server: Server) -> None:
    # who starts the pipeline and answers its callback would be warned of that, too
    role = server.role([allowing("*"), allowing("sagemaker:SendPipelineExecutionStepSuccess", Effect="Deny")])
    job = {"ClusterId": "j-NOTTHERE", "StepConfig": {"HadoopJarStep": {"Jar": "x.jar"}}}
    cluster = {"Name": "Job", "Type": "EMR", "Arguments": job}
    name = deployed(server, "endpoint-bare", role, invoking(server, "endpoint-none"), ASKING, cluster)
    url = f"https://sqs.{server.region}.amazonaws.com/{server.account}/endpoint-none"
    result = check(led_to(server), name, "-p", f"Queue={url}", "--format", "json")
    warnings = json.loads(result.stdout)["warnings"]
    assert result.exit_code == 0
    assert [warning.split(": ")[0] for warning in warnings] == ["step `Run`", "step `Ask`", "step `Job`"]
    assert all(warning.endswith("is not there") for warning in warnings)
    server.client("sqs").create_queue(QueueName="endpoint-none")
    there = json.loads(check(led_to(server), name, "-p", f"Queue={url}", "--format", "json").stdout)
    assert [warning.split(": ")[0] for warning in there["warnings"]] == ["step `Run`", "step `Job`"]
    unknown = json.loads(check(led_to(server), name, "--format", "json").stdout)
    assert "step `Ask`" not in [warning.split(": ")[0] for warning in unknown["warnings"]]


def test_what_may_not_be_looked_at_is_said(server: Server) -> None:
    role = server.role([allowing("*")])
    name = deployed(server, "endpoint-closed", role, invoking(server, "endpoint-closed"))
    reader = server.user(allowing("sagemaker:DescribePipeline", "iam:Get*", "iam:List*"))
    result = check(led_to(server, reader), name)
    assert result.exit_code == 0
    assert "may not be looked at with these credentials, and may be missing" in result.stdout
    assert result.stdout.count("function:endpoint-closed` may not be read, and is not counted") == 1


def test_the_policy_of_a_queue_counts_as_it_does_at_the_door(server: Server) -> None:
    role = server.role([allowing("lambda:*")])
    name = deployed(server, "endpoint-attached", role, ASKING)
    sqs = server.client("sqs")
    url = sqs.create_queue(QueueName="endpoint-attached")["QueueUrl"]
    asked = (
        name,
        "-p",
        f"Queue=https://sqs.{server.region}.amazonaws.com/{server.account}/endpoint-attached",
    )
    assert check(led_to(server), *asked).exit_code == 1
    every = {"Principal": {"AWS": role}, "Action": "sqs:*", "Resource": "*"}
    attached = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **every}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(attached)})
    assert check(led_to(server), *asked).exit_code == 0
    refusing = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", **every}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(refusing)})
    denied = json.loads(check(led_to(server), *asked, "--format", "json").stdout)["needs"][-1]
    assert (denied["allowed"], denied["layer"]) == (False, "resource")


def test_a_role_counts_with_its_tags(server: Server) -> None:
    tagged = {"StringEquals": {"aws:PrincipalTag/team": "a"}}
    statement = {"Effect": "Allow", "Action": "lambda:*", "Resource": "*", "Condition": tagged}
    role = server.role([{"Version": "2012-10-17", "Statement": [statement]}])
    name = deployed(server, "endpoint-tagged", role, invoking(server, "endpoint-tagged"))
    assert check(led_to(server), name).exit_code == 1
    server.client("iam").tag_role(RoleName=role.rpartition("/")[2], Tags=[{"Key": "team", "Value": "a"}])
    assert check(led_to(server), name).exit_code == 0


@pytest.mark.parametrize(
    "missing, arguments, message",
    [
        ((), "endpoint-nowhere", "there is no pipeline `endpoint-nowhere` at http://"),
        (("AWS_ACCESS_KEY_ID",), "p", "there are no AWS credentials"),
        (("AWS_REGION",), "p", "there is no AWS region; set AWS_REGION"),
        ((), "p --role x", "--from-endpoint reads the pipeline's own role"),
        ((), "p --policy {file}", "--from-endpoint reads the pipeline's own role"),
        ((), "endpoint-poor -p X=1", "`pipeline endpoint-poor` has no parameter `X`"),
    ],
)
def test_what_cannot_be_read_is_2_and_one_line(
    server: Server, write: Any, missing: tuple[str, ...], arguments: str, message: str
) -> None:
    if "endpoint-poor" in arguments:
        deployed(server, "endpoint-poor", server.role(), invoking(server, "x"))
    environment = {name: value for name, value in led_to(server).items() if name not in missing}
    result = check(environment, *arguments.format(file=write("x.json", allowing("*"))).split())
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)
    assert message in result.stderr


def test_a_caller_without_rights_and_a_server_that_is_gone_are_told(server: Server) -> None:
    nobody = server.user(allowing("sqs:ListQueues"))
    refused = check(led_to(server, nobody), "p")
    assert (refused.exit_code, "AccessDeniedException: User: " in refused.stderr) == (2, True)
    gone = check({**led_to(server), "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}, "p")
    assert (gone.exit_code, "the endpoint does not answer" in gone.stderr) == (2, True)


def test_a_file_that_is_not_there_points_at_the_option() -> None:
    result = CliRunner().invoke(main, ["check", "none.json", "--managed-version", "v3"])
    assert (result.exit_code, "there is no file `none.json`" in result.stderr) == (2, True)


def test_the_key_of_a_callbacks_queue_is_looked_up(server: Server) -> None:
    key = server.client("kms").create_key()["KeyMetadata"]["Arn"]
    server.client("kms").create_alias(AliasName="alias/endpoint-queue", TargetKeyId=key)
    attributes = {"KmsMasterKeyId": "alias/endpoint-queue"}
    url = server.client("sqs").create_queue(QueueName="endpoint-sealed", Attributes=attributes)["QueueUrl"]
    send = allowing("sqs:SendMessage")
    name = deployed(server, "endpoint-sealed", server.role([send, allowing("kms:GenerateDataKey")]), ASKING)
    result = check(led_to(server), name, "-p", f"Queue={url}", "--format", "json")
    needs = {each["action"]: each for each in json.loads(result.stdout)["needs"]}
    assert result.exit_code == 1
    assert [*needs][-3:] == ["sqs:SendMessage", "kms:GenerateDataKey", "kms:Decrypt"]
    assert [needs[f"kms:{verb}"]["resource"] for verb in ("GenerateDataKey", "Decrypt")] == [key, key]
    assert [action for action, need in needs.items() if not need["allowed"]] == ["kms:Decrypt"]
    through = {"StringEquals": {"kms:ViaService": f"sqs.{server.region}.amazonaws.com"}}
    may = allowing("kms:GenerateDataKey", "kms:Decrypt", Condition=through)
    name = deployed(server, "endpoint-opened", server.role([send, may]), ASKING)
    assert check(led_to(server), name, "-p", f"Queue={url}").exit_code == 0


def test_a_key_that_is_closed_to_iam_is_told(server: Server) -> None:
    own = {"AWS": server.client("sts").get_caller_identity()["Arn"]}
    statement = {"Effect": "Allow", "Principal": own, "Action": "kms:*", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    kms = server.client("kms")
    key = kms.create_key(Policy=policy, BypassPolicyLockoutSafetyCheck=True)["KeyMetadata"]["Arn"]
    made = server.client("sqs").create_queue(QueueName="endpoint-shut", Attributes={"KmsMasterKeyId": key})
    name = deployed(server, "endpoint-shut", server.role([allowing("sqs:*"), allowing("kms:*")]), ASKING)
    result = check(led_to(server), name, "-p", f"Queue={made['QueueUrl']}", "--format", "json")
    told = json.loads(result.stdout)
    denied = {each["action"] for each in told["needs"] if not each["allowed"]}
    assert denied == {"kms:GenerateDataKey", "kms:Decrypt"}
