"""InvokeEndpoint through boto3's runtime client: what reaches the model, what comes back, what is refused."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server
from tests.refusals import refusal, refusal_with_status
from tests.services.sagemaker.hosting.conftest import Host

from passrole.arns import Account, Region
from passrole.services.sagemaker.hosting.records import Endpoint, place_of

pytestmark = pytest.mark.usefixtures("sandboxed")
TELLS = """
    import json, os, time

    def model_fn(model_dir):
        return json.load(open(model_dir + "/factor.json"))

    def input_fn(body, content_type):
        return content_type, body

    def predict_fn(data, factor):
        content_type, body = data
        text = body if isinstance(body, str) else body.decode()
        if text == "breaks":
            raise ValueError("no such flower")
        if text == "sleeps":
            time.sleep(2)
        if text == "large":
            return "x" * 7_000_000
        return json.dumps([factor, content_type, text])

    def output_fn(prediction, accept):
        return prediction, accept or "none"
    """
"""An inference.py that tells what it was asked."""


@pytest.fixture(scope="module")
def pair(host: Host) -> Iterator[str]:
    """An endpoint with two variants, of which the second has three quarters of the traffic."""
    given = {"a": (1, 1.0), "b": (2, 3.0)}
    variants = [
        {"VariantName": name, "ModelName": host.model(factor, TELLS), "InitialVariantWeight": weight}
        for name, (factor, weight) in given.items()
    ]
    name = host.endpoint(host.config(*variants))
    host.in_service(name)
    yield name
    host.gone(name)


def test_a_request_reaches_the_model_and_its_answer_comes_back(host: Host, pair: str) -> None:
    answer = host.runtime.invoke_endpoint(
        EndpointName=pair, Body=b"1,2", ContentType="text/csv", Accept="text/plain", TargetVariant="a"
    )
    assert answer["Body"].read() == b'[1, "text/csv", "1,2"]'
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("text/plain", "a")


def test_traffic_is_drawn_by_the_weights(host: Host, pair: str) -> None:
    def ask() -> str:
        answer = host.runtime.invoke_endpoint(EndpointName=pair, Body=b"1", Accept="text/plain")
        variant: str = answer["InvokedProductionVariant"]
        return variant

    drawn = Counter(ask() for _ in range(80))
    assert drawn["b"] > drawn["a"] > 4  # 20 of 80 are expected, and fewer than 5 come once in a million


def test_an_error_of_the_model_is_told_in_awss_words(host: Host, pair: str) -> None:
    with pytest.raises(ClientError) as caught:
        host.runtime.invoke_endpoint(EndpointName=pair, Body=b"breaks", ContentType="text/csv")
    told: Any = caught.value.response
    assert told["Error"]["Code"] == "ModelError"
    assert told["Error"]["Message"].startswith(
        'Received server error (500) from primary with message "no such '
    )
    group = f"/aws/sagemaker/Endpoints/{pair}"
    assert f"#logEventViewer:group={group} in account {host.server.account}" in told["Error"]["Message"]
    assert (told["OriginalStatusCode"], told["OriginalMessage"][:14]) == (500, "no such flower")
    assert told["LogStreamArn"].endswith(f":log-group:{group}")
    assert told["ResponseMetadata"]["HTTPStatusCode"] == 424


def test_an_answer_that_is_too_large_is_told(host: Host, pair: str) -> None:
    code, message = refusal(partial(host.runtime.invoke_endpoint, EndpointName=pair, Body=b"large"))
    assert code == "ModelError"
    assert "(500) from primary and could not load the entire response body" in message


@pytest.mark.parametrize(
    "members, told",
    [
        ({"EndpointName": "nowhere"}, "Endpoint nowhere of account {account} not found."),
        ({"TargetVariant": "c"}, "Variant c of endpoint {endpoint} of account {account} not found."),
        ({"TargetModel": "m.tar.gz"}, "passrole does not support TargetModel"),
        ({"SessionId": "s"}, "passrole does not support the parameter SessionId of InvokeEndpoint"),
        (
            {"InferenceComponentName": "c"},
            "passrole does not support the parameter InferenceComponentName of InvokeEndpoint",
        ),
    ],
)
def test_what_cannot_be_asked_is_a_validation_error(
    host: Host, pair: str, members: dict[str, Any], told: str
) -> None:
    given = {"EndpointName": pair, "Body": b"1", **members}
    code, message = refusal(host.runtime.invoke_endpoint, **given)
    expected = told.replace("{account}", host.server.account).replace("{endpoint}", pair)
    assert (code, message) == ("ValidationError", expected)


def test_the_other_ways_to_ask_are_refused_by_name(host: Host, pair: str) -> None:
    for call, given in (
        (host.runtime.invoke_endpoint_with_response_stream, {"Body": b"1"}),
        (host.runtime.invoke_endpoint_async, {"InputLocation": "s3://b/k"}),
    ):
        _, code, message = refusal_with_status(call, EndpointName=pair, **given)
        assert code == "UnknownOperationException"
        assert "does not support the operation sagemaker-runtime:InvokeEndpoint" in message


def test_a_body_has_a_limit(host: Host, pair: str) -> None:
    call = partial(host.runtime.invoke_endpoint, EndpointName=pair)
    status, _, message = refusal_with_status(call, Body=b"x" * 6_291_457)
    assert (status, message) == (413, "HTTP content length exceeded 6291456 bytes.")


def test_the_permission_is_asked_on_the_endpoint(host: Host, pair: str, server: Server) -> None:
    arn = host.sagemaker.describe_endpoint(EndpointName=pair)["EndpointArn"]
    host.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "team", "Value": "a"}])
    may = {"Effect": "Allow", "Action": "sagemaker:InvokeEndpoint", "Resource": arn}
    tagged = {"StringEquals": {"aws:ResourceTag/team": "a"}}

    def client(**members: Any) -> Any:
        policy = {"Version": "2012-10-17", "Statement": [{**may, **members}]}
        return server.client("sagemaker-runtime", user_policy=policy)

    given = {"EndpointName": pair, "Body": b"1"}
    client(Condition=tagged).invoke_endpoint(**given)
    other = client(Resource=f"{arn}-other").invoke_endpoint
    status, code, message = refusal_with_status(other, **given)
    assert (status, code) == (403, "AccessDeniedException")
    assert f"is not authorized to perform: sagemaker:InvokeEndpoint on resource: {arn}" in message
    targets = {"StringEquals": {"sagemaker:TargetModel": "m"}}
    only_one = client(Condition=targets).invoke_endpoint
    assert refusal(only_one, **given, TargetModel="n")[0] == "AccessDeniedException"


def test_a_slow_model_holds_up_no_other(host: Host, pair: str) -> None:
    ask = partial(host.runtime.invoke_endpoint, EndpointName=pair, TargetVariant="a")
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(ask, Body=b"sleeps")
        other = host.runtime.invoke_endpoint(EndpointName=pair, TargetVariant="b", Body=b"1")
        host.sagemaker.describe_endpoint(EndpointName=pair)
        assert not slow.done()
        assert other["InvokedProductionVariant"] == "b"
        assert slow.result()["InvokedProductionVariant"] == "a"


def test_a_serverless_variant_takes_as_many_as_it_says(host: Host) -> None:
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    variant = {"InstanceType": None, "InitialInstanceCount": None, "ServerlessConfig": serverless}
    name = host.endpoint(host.config({**variant, "ModelName": host.model(1, TELLS)}))
    (described,) = host.in_service(name)["ProductionVariants"]
    assert described["CurrentServerlessConfig"] == serverless
    with ThreadPoolExecutor(4) as pool:
        asked = [
            pool.submit(host.runtime.invoke_endpoint, EndpointName=name, Body=b"sleeps") for _ in range(4)
        ]
        codes = [each.exception() for each in asked]
    refused = [each for each in codes if isinstance(each, ClientError)]
    assert len(refused) == 3
    assert {each.response["Error"]["Code"] for each in refused} == {"ThrottlingException"}
    host.gone(name)


def test_an_endpoint_that_is_made_again_under_its_name_has_other_servers() -> None:
    """Its fleets have the numbers of those before, whose servers a node may not have ended yet."""
    first = Endpoint("e", Account("111122223333"), Region("us-east-1"), created=1.0, modified=1.0)
    assert place_of(first, 1, "v") != place_of(replace(first, created=2.0), 1, "v")
    assert place_of(first, 1, "v") == place_of(replace(first, modified=2.0), 1, "v")
