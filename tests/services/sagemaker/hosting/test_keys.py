"""The key of an endpoint's volumes: whoever deploys it must be allowed a grant on it."""

import pytest
from tests.conftest import Server
from tests.policies import allowing
from tests.refusals import refusal
from tests.services.sagemaker.hosting.conftest import Host

pytestmark = pytest.mark.usefixtures("sandboxed")

MAY_DEPLOY = ("sagemaker:CreateEndpoint", "sagemaker:UpdateEndpoint")


@pytest.fixture(scope="module")
def key(server: Server) -> str:
    return str(server.client("kms").create_key()["KeyMetadata"]["Arn"])


def test_who_may_not_have_the_key_used_deploys_nothing(host: Host, key: str) -> None:
    config = host.config(KmsKeyId=key)
    denied = host.server.client("sagemaker", allowing(*MAY_DEPLOY))
    code, message = refusal(denied.create_endpoint, EndpointName="sealed", EndpointConfigName=config)
    assert code == "AccessDeniedException"
    assert f"is not authorized to perform: kms:CreateGrant on resource: {key} because" in message
    assert host.sagemaker.list_endpoints(NameContains="sealed")["Endpoints"] == []
    may = host.server.client("sagemaker", allowing(*MAY_DEPLOY, "kms:CreateGrant"))
    name = host.endpoint(config, client=may)
    host.in_service(name)
    code, message = refusal(denied.update_endpoint, EndpointName=name, EndpointConfigName=config)
    assert code == "AccessDeniedException" and "kms:CreateGrant" in message
    denied.update_endpoint(EndpointName=name, EndpointConfigName=host.config())
    host.in_service(name)


def test_a_key_that_is_not_there_is_refused(host: Host) -> None:
    config = host.config(KmsKeyId="alias/nothing")
    code, message = refusal(host.sagemaker.create_endpoint, EndpointName="x", EndpointConfigName=config)
    assert code == "ValidationException" and "alias/nothing is not found" in message
