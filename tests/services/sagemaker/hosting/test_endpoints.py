"""Endpoints through boto3, per operation: shape, refusals, and model servers that really come and go."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from tests.conftest import Server, new_name
from tests.eventually import eventually
from tests.refusals import refusal
from tests.services.sagemaker.hosting.conftest import IMAGE, LOGS, TIMES, Host

from passrole.cli import main
from passrole.cli.server import status

pytestmark = pytest.mark.usefixtures("sandboxed")
BROKEN = "raise RuntimeError('no such library')\n"
PING = (
    "The primary container for production variant AllTraffic did not pass the ping health check. "
    "Please check CloudWatch logs for this endpoint."
)
HELD = """
    import os, time

    def model_fn(model_dir):
        while not os.path.exists({path!r}):
            time.sleep(0.01)

    def predict_fn(data, model):
        return data
    """
"""A model that is loaded once a file is there."""


@pytest.fixture(scope="module")
def served(host: Host) -> str:
    """An endpoint in service, for tests that leave it as it is."""
    name = host.endpoint()
    host.in_service(name)
    return name


# CreateEndpoint and DescribeEndpoint


def test_an_endpoint_is_in_service_when_its_server_answers_and_not_before(host: Host, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    config = host.config({"ModelName": host.model(code=HELD.format(path=str(gate)))})
    name = host.endpoint(config)
    described = host.sagemaker.describe_endpoint(EndpointName=name)
    assert (described["EndpointStatus"], described["EndpointConfigName"]) == ("Creating", config)
    assert "ProductionVariants" not in described
    eventually(lambda: (host.server.data / "jobs/endpoint").exists())
    assert refusal(partial(host.ask, name))[0] == "ValidationError"
    gate.touch()
    described = host.in_service(name)
    (variant,) = described["ProductionVariants"]
    assert variant["DeployedImages"][0]["SpecifiedImage"] == IMAGE
    assert (variant["CurrentWeight"], variant["DesiredWeight"]) == (1.0, 1.0)
    assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (1, 1)
    host.gone(name)


def test_boto3s_waiter_sees_it(host: Host) -> None:
    name = host.endpoint()
    host.sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    assert host.ask(name) == [2.0, 4.0]
    host.sagemaker.delete_endpoint(EndpointName=name)
    host.sagemaker.get_waiter("endpoint_deleted").wait(EndpointName=name, WaiterConfig={"Delay": 1})
    home = host.server.data / "jobs/endpoint" / host.server.account / host.server.region / name
    assert not home.exists()


def test_a_server_that_never_answers_fails_the_endpoint_in_awss_words(host: Host) -> None:
    name = host.endpoint(host.config({"ModelName": host.model(code=BROKEN)}))
    described = host.settled(name)
    assert (described["EndpointStatus"], described["FailureReason"]) == ("Failed", PING)
    printed = host.printed(name)
    assert "no such library" in printed
    assert "passrole: the model server has ended with exit code 1; it is started again in 1 s" in printed
    assert refusal(partial(host.ask, name))[0] == "ValidationError"
    update = host.sagemaker.update_endpoint
    code, message = refusal(update, EndpointName=name, EndpointConfigName=host.config())
    assert (code, message.startswith("Cannot update failed endpoint")) == ("ValidationException", True)
    host.gone(name)


def test_data_that_the_models_role_may_not_read_any_more_fail_the_endpoint(
    host: Host, server: Server
) -> None:
    policy = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    role = server.role([{"Version": "2012-10-17", "Statement": [policy]}])
    config = host.config({"ModelName": host.model(ExecutionRoleArn=role)})
    iam, role_name = server.client("iam"), role.rpartition("/")[2]
    for each in iam.list_role_policies(RoleName=role_name)["PolicyNames"]:
        iam.delete_role_policy(RoleName=role_name, PolicyName=each)
    described = host.settled(host.endpoint(config))
    assert described["EndpointStatus"] == "Failed"
    assert described["FailureReason"].startswith("ClientError: ")
    assert "is not authorized to perform: s3:ListBucket" in described["FailureReason"]


def test_an_image_without_a_form_fails_with_advice(host: Host, start_server: Callable[..., Server]) -> None:
    host = Host(start_server(containers="none"))
    host.model()
    url = f"s3://{host.bucket}/x.tar.gz"
    host.server.client("s3").put_object(Bucket=host.bucket, Key="x.tar.gz", Body=b"x")
    container = {"Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1", "ModelDataUrl": url}
    name = host.endpoint(host.config({"ModelName": host.model(PrimaryContainer=container)}))
    described = host.settled(name)
    assert described["EndpointStatus"] == "Failed"
    assert "cannot be run without a container" in described["FailureReason"]


def test_a_server_at_a_port_is_refused_to_a_model_without_a_network(
    start_server: Callable[..., Server],
) -> None:
    host = Host(start_server(images="*/own:*=command:sleep"))
    host.model()
    url = f"s3://{host.bucket}/x.tar.gz"
    host.server.client("s3").put_object(Bucket=host.bucket, Key="x.tar.gz", Body=b"x")
    container = {"Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1", "ModelDataUrl": url}
    name = host.endpoint(
        host.config({"ModelName": host.model(PrimaryContainer=container, EnableNetworkIsolation=True)})
    )
    described = host.settled(name)
    assert described["EndpointStatus"] == "Failed"
    assert "own:1 is served at a port, which is not reached without a network" in described["FailureReason"]


def test_a_name_is_given_once_and_a_configuration_must_be_there(host: Host, served: str) -> None:
    create, described = host.sagemaker.create_endpoint, host.in_service(served)
    code, message = refusal(create, EndpointName=served, EndpointConfigName=described["EndpointConfigName"])
    assert (code, message) == (
        "ValidationException",
        f'Cannot create already existing endpoint "{described["EndpointArn"]}".',
    )
    code, message = refusal(create, EndpointName=new_name("e"), EndpointConfigName="nowhere")
    assert code == "ValidationException"
    assert message.startswith('Could not find endpoint configuration "arn:aws:sagemaker:')


def test_more_instances_than_the_machine_gives_are_refused_in_awss_words(host: Host) -> None:
    config = host.config({"InitialInstanceCount": 100})
    code, message = refusal(partial(host.endpoint, config))
    assert code == "ResourceLimitExceeded"
    assert message.startswith(
        "The account-level service limit 'ml.m5.large for endpoint usage' is 64 Instances, with"
    )
    assert "a request delta of 100 Instances" in message


def test_creating_asks_for_the_endpoint_and_for_the_configuration(
    host: Host, client_that_may: Callable[..., Any]
) -> None:
    config = host.config()
    arn = host.sagemaker.describe_endpoint_config(EndpointConfigName=config)["EndpointConfigArn"]
    create = "sagemaker:CreateEndpoint"
    for resource, denied in (
        (arn, f"{arn.rpartition(':')[0]}:endpoint/"),
        (f"{arn.rpartition(':')[0]}:endpoint/*", arn),
    ):
        code, message = refusal(partial(host.endpoint, config), client=client_that_may(create, resource))
        assert code == "AccessDeniedException"
        assert f"perform: {create} on resource: {denied}" in message
    tags = [{"Key": "a", "Value": "b"}]
    code, message = refusal(partial(host.endpoint, config), client=client_that_may(create, "*"), Tags=tags)
    assert (code, "perform: sagemaker:AddTags on" in message) == ("AccessDeniedException", True)


def test_a_model_that_is_deleted_is_served_on(host: Host) -> None:
    model = host.model(3)
    config = host.config({"ModelName": model})
    name = host.endpoint(config)
    host.sagemaker.delete_endpoint_config(EndpointConfigName=config)
    host.sagemaker.delete_model(ModelName=model)
    host.in_service(name)
    assert host.ask(name) == [3.0, 6.0]
    host.gone(name)


def test_a_package_of_the_registry_is_served(host: Host) -> None:
    model, group = host.model(5), new_name("group")
    container = dict(host.sagemaker.describe_model(ModelName=model)["PrimaryContainer"])
    container.pop("Mode", None)
    host.sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arn = host.sagemaker.create_model_package(
        ModelPackageGroupName=group,
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    deployed = host.model(PrimaryContainer={"ModelPackageName": arn})
    name = host.endpoint(host.config({"ModelName": deployed}))
    host.in_service(name)
    assert host.ask(name) == [5.0, 10.0]
    host.gone(name)


def test_containers_in_a_row_are_asked_one_after_the_other(host: Host) -> None:
    as_text = TIMES.replace("return json.dumps(prediction), ", "return ','.join(map(str, prediction)), ")
    as_text = as_text.replace("application/json", "text/csv")
    containers = [
        dict(host.sagemaker.describe_model(ModelName=each)["PrimaryContainer"])
        for each in (host.model(3, as_text), host.model(2))
    ]
    model = new_name("row")
    host.sagemaker.create_model(ModelName=model, Containers=containers, ExecutionRoleArn=host.role)
    name = host.endpoint(host.config({"ModelName": model}))
    host.in_service(name)
    assert host.ask(name, "1,2") == [6.0, 12.0]
    host.gone(name)


def test_events_tell_of_every_status(host: Host, server: Server) -> None:
    events, sqs, mark = server.client("events"), server.client("sqs"), new_name("seen")
    url = sqs.create_queue(QueueName=mark)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
    }
    allow_sending(sqs, url, statement)
    events.put_rule(Name=mark, EventPattern='{"detail-type": ["SageMaker Endpoint State Change"]}')
    events.put_targets(Rule=mark, Targets=[{"Id": "q", "Arn": arn}])
    name = host.endpoint(Tags=[{"Key": "team", "Value": "a"}])
    host.in_service(name)
    host.gone(name)
    seen: list[dict[str, Any]] = []

    def all_came() -> bool:
        seen.extend(messages(sqs, url, name))
        return {"CREATING", "IN_SERVICE", "DELETING"} <= {each["EndpointStatus"] for each in seen}

    eventually(all_came)
    detail = next(each for each in seen if each["EndpointStatus"] == "IN_SERVICE")
    assert detail["Tags"] == {"team": "a"}
    assert isinstance(detail["CreationTime"], int)
    assert detail["ProductionVariants"][0]["DesiredWeight"] == 1.0
    events.remove_targets(Rule=mark, Ids=["q"])
    events.delete_rule(Name=mark)


def allow_sending(sqs: Any, url: str, statement: dict[str, Any]) -> None:
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})


def messages(sqs: Any, url: str, name: str) -> list[dict[str, Any]]:
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
    bodies = [json.loads(each["Body"]) for each in found]
    return [each["detail"] for each in bodies if each["detail"]["EndpointName"] == name]


# UpdateEndpoint


def test_the_old_fleet_serves_until_the_new_one_answers(host: Host, tmp_path: Path) -> None:
    gate = tmp_path / "go"
    name = host.endpoint()
    host.in_service(name)
    coming = host.config({"ModelName": host.model(code=HELD.format(path=str(gate)))})
    host.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=coming)
    described = host.sagemaker.describe_endpoint(EndpointName=name)
    assert described["EndpointStatus"] == "Updating"
    assert described["PendingDeploymentSummary"]["EndpointConfigName"] == coming
    assert described["EndpointConfigName"] != coming
    assert host.ask(name) == [2.0, 4.0]
    for call, given in (
        (host.sagemaker.update_endpoint, {"EndpointConfigName": coming}),
        (host.sagemaker.delete_endpoint, {}),
    ):
        code, message = refusal(call, EndpointName=name, **given)
        assert (code, message) == (
            "ValidationException",
            f'Cannot update in-progress endpoint "{described["EndpointArn"]}".',
        )
    gate.touch()
    assert host.in_service(name)["EndpointConfigName"] == coming
    assert host.ask(name, "[1]", ContentType="application/json") == [1.0]
    host.gone(name)


def test_an_update_that_fails_leaves_what_was(host: Host) -> None:
    name = host.endpoint()
    before = host.in_service(name)
    host.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=host.config({"ModelName": host.model(code=BROKEN)})
    )
    described = host.in_service(name)
    assert described["FailureReason"] == PING
    assert described["EndpointConfigName"] == before["EndpointConfigName"]
    assert host.ask(name) == [2.0, 4.0]
    host.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=host.config({"ModelName": host.model(7)})
    )
    assert "FailureReason" not in host.in_service(name)
    assert host.ask(name) == [7.0, 14.0]
    host.gone(name)


def test_weights_are_kept_by_an_update_that_says_so(host: Host) -> None:
    name = host.endpoint(host.config({"InitialVariantWeight": 3.0}))
    host.in_service(name)
    host.sagemaker.update_endpoint(
        EndpointName=name, EndpointConfigName=host.config(), RetainAllVariantProperties=True
    )
    (variant,) = host.in_service(name)["ProductionVariants"]
    assert variant["CurrentWeight"] == 3.0
    host.gone(name)


def test_the_role_needs_the_update_of_both(host: Host, served: str, client_that_may: Any) -> None:
    arn = host.in_service(served)["EndpointArn"]
    client = client_that_may("sagemaker:UpdateEndpoint", arn)
    config = host.config()
    code, message = refusal(client.update_endpoint, EndpointName=served, EndpointConfigName=config)
    assert code == "AccessDeniedException"
    assert f":endpoint-config/{config}" in message


# UpdateEndpointWeightsAndCapacities


def test_weights_and_counts_change_while_it_serves(host: Host) -> None:
    name = host.endpoint(
        host.config(
            {"VariantName": "a", "ModelName": host.model(1)}, {"VariantName": "b", "ModelName": host.model(2)}
        )
    )
    host.in_service(name)
    change = host.sagemaker.update_endpoint_weights_and_capacities
    change(
        EndpointName=name,
        DesiredWeightsAndCapacities=[
            {"VariantName": "a", "DesiredWeight": 0.0},
            {"VariantName": "b", "DesiredInstanceCount": 2},
        ],
    )
    a, b = host.in_service(name)["ProductionVariants"]
    assert (a["CurrentWeight"], a["CurrentInstanceCount"]) == (0.0, 1)
    assert (b["CurrentWeight"], b["CurrentInstanceCount"]) == (1.0, 2)
    assert {tuple(host.ask(name)) for _ in range(10)} == {(2.0, 4.0)}
    home = host.server.data / "jobs/endpoint" / host.server.account / host.server.region / name
    assert len(list(home.iterdir())) == 3
    change(EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "b", "DesiredInstanceCount": 1}])
    host.in_service(name)
    eventually(lambda: len(list(home.iterdir())) == 2)
    code, message = refusal(
        change, EndpointName=name, DesiredWeightsAndCapacities=[{"VariantName": "c", "DesiredWeight": 1.0}]
    )
    assert code == "ValidationException"
    assert message.startswith('The variant name(s) "c" is/are not present within endpoint configuration')
    host.gone(name)


# DeleteEndpoint and ListEndpoints


def test_an_unknown_endpoint_is_not_found_in_awss_words(host: Host) -> None:
    for call in (host.sagemaker.describe_endpoint, host.sagemaker.delete_endpoint):
        code, message = refusal(call, EndpointName="nowhere")
        assert code == "ValidationException"
        assert message.startswith('Could not find endpoint "arn:aws:sagemaker:')


def test_endpoints_are_listed_by_status_and_name(host: Host, served: str) -> None:
    for given in ({}, {"StatusEquals": "InService"}, {"SortBy": "Status"}):
        listed = host.sagemaker.list_endpoints(NameContains=served, **given)["Endpoints"]
        assert [each["EndpointName"] for each in listed] == [served]
    assert host.sagemaker.list_endpoints(NameContains=served, StatusEquals="Failed")["Endpoints"] == []


def test_status_lists_it_among_what_runs(host: Host, served: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(status, "_SHOWN_MAX", 1_000)  # the tests' server may run much else
    done = CliRunner().invoke(main, ["status", "--data", str(host.server.data)], prog_name="passrole")
    assert f"endpoint {served}" in done.stdout


def test_tags_are_the_endpoints(host: Host, served: str) -> None:
    arn = host.in_service(served)["EndpointArn"]
    host.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "c", "Value": "d"}])
    assert host.sagemaker.list_tags(ResourceArn=arn)["Tags"] == [{"Key": "c", "Value": "d"}]


# Its program


def test_a_server_that_dies_is_started_again_and_the_log_tells(host: Host) -> None:
    dies = TIMES.replace("if content_type", "if body == '0': import os; os._exit(3)\n        if content_type")
    name = host.endpoint(host.config({"ModelName": host.model(code=dies)}))
    host.in_service(name)
    assert refused(host, name, "0")  # the connection that was kept since /ping may be found closed

    def answers() -> bool:
        return refused(host, name) is None

    eventually(answers)
    assert host.ask(name) == [2.0, 4.0]
    assert host.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] == "InService"
    told = "passrole: the model server has ended with exit code 3; it is started again in 1 s"
    assert told in host.printed(name)
    host.gone(name)


def refused(host: Host, name: str, body: str = "1,2") -> str | None:
    """The code of a refusal: of the model, or one that passes when a server has come back."""
    try:
        host.ask(name, body)
    except ClientError as error:
        code: str = error.response["Error"]["Code"]
        assert code in ("ServiceUnavailable", "ModelError"), error
        return code
    return None


def test_a_model_calls_aws_as_its_role(host: Host, server: Server) -> None:
    asks = """
        import boto3, json

        def model_fn(model_dir):
            return None

        def predict_fn(data, model):
            return [boto3.client("sts").get_caller_identity()["Arn"]]

        def input_fn(body, content_type):
            return body
        """
    name = host.endpoint(host.config({"ModelName": host.model(code=asks)}))
    host.in_service(name)
    (arn,) = host.ask(name, Accept="application/json")
    assert f":assumed-role/{host.role.rpartition('/')[2]}/SageMaker" in arn
    host.gone(name)


def test_a_role_that_may_not_write_logs_serves_without_them(host: Host, server: Server) -> None:
    assert "logs:PutLogEvents" in LOGS
    read = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    role = server.role([{"Version": "2012-10-17", "Statement": [read]}])
    name = host.endpoint(host.config({"ModelName": host.model(ExecutionRoleArn=role)}))
    host.in_service(name)
    assert host.ask(name) == [2.0, 4.0]
    assert host.printed(name) == ""
    host.gone(name)
