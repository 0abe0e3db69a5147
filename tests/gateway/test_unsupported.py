"""Services and operations that are not served are refused by name, in their own protocol, and not retried."""

import http.client
import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.refusals import refusal

Call = Callable[[Any], Any]

CALLS: list[tuple[str, str, Call]] = [
    # JSON
    ("kms", "kms:GenerateRandom", lambda c: c.generate_random(NumberOfBytes=1)),
    ("ecr", "ecr:CreateRepository", lambda c: c.create_repository(repositoryName="rr")),
    ("glue", "glue:GetJobs", lambda c: c.get_jobs()),
    ("ecs", "ecs:ListClusters", lambda c: c.list_clusters()),
    ("dynamodb", "dynamodb:ListTables", lambda c: c.list_tables()),
    ("secretsmanager", "secretsmanager:ListSecrets", lambda c: c.list_secrets()),
    ("ssm", "ssm:GetParameter", lambda c: c.get_parameter(Name="p")),
    ("stepfunctions", "states:ListStateMachines", lambda c: c.list_state_machines()),
    ("comprehend", "comprehend:ListEndpoints", lambda c: c.list_endpoints()),
    # query, and EC2's kind of it
    ("cloudformation", "cloudformation:ListStacks", lambda c: c.list_stacks()),
    ("sns", "sns:ListTopics", lambda c: c.list_topics()),
    ("autoscaling", "autoscaling:DescribeTags", lambda c: c.describe_tags()),
    ("ec2", "ec2:DescribeVpcs", lambda c: c.describe_vpcs()),
    # CBOR
    ("cloudwatch", "monitoring:ListMetrics", lambda c: c.list_metrics()),
    # REST with JSON
    ("pipes", "pipes:ListPipes", lambda c: c.list_pipes()),
    ("pipes", "pipes:DescribePipe", lambda c: c.describe_pipe(Name="p")),
    ("batch", "batch:SubmitJob", lambda c: c.submit_job(jobName="j", jobQueue="q", jobDefinition="d")),
    ("emr-containers", "emr-containers:ListVirtualClusters", lambda c: c.list_virtual_clusters()),
    ("efs", "elasticfilesystem:DescribeFileSystems", lambda c: c.describe_file_systems()),
    (
        "bedrock-runtime",
        "bedrock:InvokeModel",
        lambda c: c.invoke_model(modelId="anthropic.model/1", body=b"{}"),
    ),
    # a neighbour of a service that is here, under its signing name
    (
        "sagemaker-featurestore-runtime",
        "sagemaker:GetRecord",
        lambda c: c.get_record(FeatureGroupName="g", RecordIdentifierValueAsString="1"),
    ),
    # REST with XML
    ("route53", "route53:ListHostedZones", lambda c: c.list_hosted_zones()),
    ("cloudfront", "cloudfront:ListDistributions", lambda c: c.list_distributions()),
    # operations that services here do not have
    ("sagemaker", "sagemaker:ListCompilationJobs", lambda c: c.list_compilation_jobs()),
    ("lambda", "lambda:ListCodeSigningConfigs", lambda c: c.list_code_signing_configs()),
    ("iam", "iam:ListGroups", lambda c: c.list_groups()),
    ("emr", "emr:ListStudios", lambda c: c.list_studios()),
    (
        "emr-serverless",
        "emr-serverless:GetDashboardForJobRun",
        lambda c: c.get_dashboard_for_job_run(applicationId="00a", jobRunId="00b"),
    ),
]


def client(server: Server, service: str, **options: Any) -> Any:
    make: Any = boto3.client
    return make(
        service,
        endpoint_url=server.url,
        region_name=server.region,
        aws_access_key_id=server.access["access_key_id"],
        aws_secret_access_key=server.access["secret_access_key"],
        config=Config(retries={"mode": "standard", "total_max_attempts": 3}, inject_host_prefix=False),
        **options,
    )


@pytest.mark.parametrize("service, named, call", CALLS, ids=[named for _, named, _ in CALLS])
def test_what_is_not_served_is_refused_by_name_at_the_first_try(
    server: Server, service: str, named: str, call: Call
) -> None:
    with pytest.raises(ClientError) as caught:
        call(client(server, service))
    answer = caught.value.response
    assert f"passrole does not support the operation {named}" in answer["Error"]["Message"]
    assert answer["Error"]["Code"].rpartition("#")[2] in (
        "UnknownOperationException",
        "InvalidAction",
        "NotImplemented",
    )
    assert answer["ResponseMetadata"]["HTTPStatusCode"] in (400, 404, 501)  # 404: an operation of Lambda
    assert answer["ResponseMetadata"]["RetryAttempts"] == 0


def test_nobody_unknown_learns_what_is_served(server: Server) -> None:
    stranger = server.client_with("ecs", "AKIAAAAAAAAAAAAAAAAA", "nothing")
    assert refusal(stranger.list_clusters)[0] == "UnrecognizedClientException"


def test_ec2_has_its_own_form_of_errors_and_query_services_theirs(server: Server) -> None:
    forms: dict[int, bytes] = {}
    for service, call in (("ec2", "describe_vpcs"), ("sns", "list_topics")):
        own = client(server, service)
        own.meta.events.register(
            "response-received", lambda response_dict, **_: forms.update({len(forms): response_dict["body"]})
        )
        with pytest.raises(ClientError):
            getattr(own, call)()
    assert forms[0].startswith(b"<Response><Errors><Error><Code>InvalidAction</Code>")
    assert forms[1].startswith(b"<ErrorResponse><Error><Type>Sender</Type><Code>InvalidAction</Code>")


def test_a_target_of_no_service_is_named_as_it_came(server: Server) -> None:
    own = client(server, "sagemaker")
    own.meta.events.register(
        "before-sign", lambda request, **_: request.headers.replace_header("X-Amz-Target", "SageMaker.Odd")
    )
    with pytest.raises(ClientError) as caught:
        own.list_pipelines()
    assert "operation sagemaker:Odd" in caught.value.response["Error"]["Message"]


def test_a_request_without_a_signature_is_refused_as_before(server: Server) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request("POST", "/", b"{}", {"X-Amz-Target": "TrentService.ListKeys"})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    assert answer.status == 400
    assert "MissingAuthenticationToken" in body["__type"]
