"""What comes before the door: signatures, keys, clocks and bodies, each refused with AWS's code."""

import http.client
import json
import urllib.parse
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from tests.conftest import Server

LIST_PIPELINES = {"x-amz-target": "SageMaker.ListPipelines", "content-type": "application/x-amz-json-1.1"}
FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
WHO_AM_I = b"Action=GetCallerIdentity&Version=2011-06-15"


class Answer:
    """A response as it came, before any client made sense of it."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body

    @property
    def code(self) -> str:
        if self.body.startswith(b"<"):
            return self.body.decode().partition("<Code>")[2].partition("</Code>")[0]
        return str(json.loads(self.body)["__type"]).rpartition("#")[2]


def send(url: str, headers: Mapping[str, str], body: bytes, path: str = "/", method: str = "POST") -> Answer:
    where = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    try:
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


def signed(
    server: Server,
    headers: Mapping[str, str],
    body: bytes,
    service: str,
    *,
    secret: str | None = None,
    key: str | None = None,
    path: str = "/",
) -> dict[str, str]:
    request = AWSRequest(method="POST", url=f"{server.url}{path}", data=body, headers=dict(headers))
    credentials = Credentials(
        key or server.access["access_key_id"], secret or server.access["secret_access_key"]
    )
    SigV4Auth(credentials, service, server.region).add_auth(request)
    return dict(request.headers.items())


def test_a_signed_call_is_answered_with_a_request_id(server: Server) -> None:
    answer = send(server.url, signed(server, LIST_PIPELINES, b"{}", "sagemaker"), b"{}")
    assert (answer.status, json.loads(answer.body)) == (
        200,
        {"PipelineSummaries": []},
    ) or answer.status == 200
    assert len(answer.headers["x-amzn-requestid"]) == 36


@pytest.mark.parametrize(
    "headers, body, service, json_code, status",
    [
        (LIST_PIPELINES, b"{}", "sagemaker", "MissingAuthenticationTokenException", 400),
        (FORM, WHO_AM_I, "sts", "MissingAuthenticationToken", 403),
    ],
)
def test_nothing_is_done_without_a_signature(
    server: Server, headers: Mapping[str, str], body: bytes, service: str, json_code: str, status: int
) -> None:
    answer = send(server.url, headers, body)
    assert (answer.code, answer.status) == (json_code, status)


@pytest.mark.parametrize(
    "change, json_code, query_code",
    [
        ({"key": "AKIANOBODYHASTHISKEY"}, "UnrecognizedClientException", "InvalidClientTokenId"),
        ({"secret": "not-the-secret"}, "InvalidSignatureException", "SignatureDoesNotMatch"),
    ],
)
def test_a_wrong_key_or_signature_is_refused(
    server: Server, change: dict[str, str], json_code: str, query_code: str
) -> None:
    in_json = send(server.url, signed(server, LIST_PIPELINES, b"{}", "sagemaker", **change), b"{}")
    in_query = send(server.url, signed(server, FORM, WHO_AM_I, "sts", **change), WHO_AM_I)
    assert (in_json.code, in_query.code) == (json_code, query_code)
    assert in_query.status == 403


def test_a_body_that_was_changed_on_the_way_is_refused(server: Server) -> None:
    headers = signed(server, LIST_PIPELINES, b"{}", "sagemaker")
    assert send(server.url, headers, b'{"MaxResults":1}').code == "InvalidSignatureException"


@pytest.mark.parametrize(
    "minutes, code", [(-6, "InvalidSignatureException"), (6, "InvalidSignatureException")]
)
def test_a_clock_that_is_off_by_more_than_five_minutes_is_refused(
    server: Server, monkeypatch: pytest.MonkeyPatch, minutes: int, code: str
) -> None:
    import botocore.auth

    then = datetime.now(UTC) + timedelta(minutes=minutes)
    monkeypatch.setattr(
        botocore.auth, "get_current_datetime", lambda *_args, **_kwargs: then.replace(tzinfo=None)
    )
    answer = send(server.url, signed(server, LIST_PIPELINES, b"{}", "sagemaker"), b"{}")
    assert answer.code == code
    assert b"Signature expired" in answer.body or b"Signature not yet current" in answer.body


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff\xfe", b'{"MaxResults": "many"}', b"[" * 100_000])
def test_a_body_that_is_not_what_the_protocol_says_is_a_serialization_exception(
    server: Server, body: bytes
) -> None:
    answer = send(server.url, signed(server, LIST_PIPELINES, body, "sagemaker"), body)
    assert (answer.code, answer.status) == ("SerializationException", 400)
    assert b"Traceback" not in answer.body


def test_an_operation_that_is_not_supported_is_refused_by_name(server: Server) -> None:
    with pytest.raises(ClientError) as refused:
        server.client("sagemaker").list_notebook_instances()
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"
    assert "ListNotebookInstances" in refused.value.response["Error"]["Message"]


def test_a_parameter_that_is_not_supported_is_refused_and_not_dropped(server: Server) -> None:
    access_point = f"arn:aws:elasticfilesystem:us-east-1:{server.account}:access-point/fsap-0123456789abcdef0"
    with pytest.raises(ClientError, match="FileSystemConfigs"):
        server.client("lambda").create_function(
            FunctionName="files",
            Role=server.access["lambda_role_arn"],
            Runtime="python3.11",
            Handler="a.b",
            Code={"ZipFile": b"PK"},
            FileSystemConfigs=[{"Arn": access_point, "LocalMountPath": "/mnt/files"}],
        )


def test_constraints_are_refused_in_aws_words(server: Server) -> None:
    with pytest.raises(ClientError) as refused:
        server.client("sagemaker").describe_pipeline(PipelineName="-no-")
    error = refused.value.response["Error"]
    assert error["Code"] == "ValidationException"
    assert error["Message"].startswith(
        "1 validation error detected: Value '-no-' at 'pipelineName' failed to "
    )


def test_health_needs_no_signature_and_tells_nothing(server: Server) -> None:
    answer = send(server.url, {}, b"", "/_passrole/health", "GET")
    assert json.loads(answer.body) == {"status": "ready"}


def test_passroles_own_operations_need_a_signature(server: Server) -> None:
    answer = send(server.url, {"content-type": "application/json"}, b"{}", "/_passrole/ListWaitingCallbacks")
    assert answer.status in (400, 403)
    assert b"Callbacks" not in answer.body


def own(server: Server, operation: str, parameters: Mapping[str, str]) -> Answer:
    path, body = f"/_passrole/{operation}", json.dumps(parameters).encode()
    return send(server.url, signed(server, {}, body, "passrole", path=path), body, path)


def test_a_session_of_the_execution_role_is_to_be_had_as_a_notebook_has_it(server: Server) -> None:
    answer = json.loads(own(server, "AssumeRoleForUser", {"RoleArn": server.access["role_arn"]}).body)
    keys = answer["Credentials"]
    sts = server.client_with("sts", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    role = server.access["role_name"]
    assert sts.get_caller_identity()["Arn"].endswith(f":assumed-role/{role}/SageMaker")


@pytest.mark.parametrize(
    "operation, parameters, code",
    [
        ("AssumeRoleForUser", {"RoleArn": "arn:aws:iam::111122223333:role/no"}, "AccessDeniedException"),
        ("AssumeRoleForUser", {}, "ValidationException"),
        ("AssumeRoleForUser", {"RoleArn": "x", "More": "y"}, "ValidationException"),
        ("Nonsense", {}, "UnknownOperationException"),
    ],
)
def test_passroles_own_operations_refuse_as_aws_would(
    server: Server, operation: str, parameters: Mapping[str, str], code: str
) -> None:
    answer = own(server, operation, parameters)
    assert (answer.code, answer.status // 100) == (code, 4)


def test_no_secret_stands_in_the_audit_trail(server: Server) -> None:
    server.client("iam").list_users()
    server.client("iam").list_roles()  # a line is written after its call was answered, before the next
    audit = (server.data / "audit.jsonl").read_text()
    assert "ListUsers" in audit
    assert server.access["secret_access_key"] not in audit


def repeated(server: Server, name: str, value: str, *, first: bool) -> Answer:
    """A signed call with one header twice, the other value before or after the signed one."""
    headers = {**signed(server, LIST_PIPELINES, b"{}", "sagemaker"), "Host": server.url.partition("//")[2]}
    own = next((text for key, text in headers.items() if key.lower() == name.lower()), value)
    kept = [(key, text) for key, text in headers.items() if key.lower() != name.lower()]
    pair = [(name, value), (name, own)] if first else [(name, own), (name, value)]
    where = urllib.parse.urlsplit(server.url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=10)
    try:
        connection.putrequest("POST", "/", skip_host=True, skip_accept_encoding=True)
        for key, text in [*kept, *pair, ("Content-Length", "2")]:
            connection.putheader(key, text)
        connection.endheaders(b"{}")
        response = connection.getresponse()
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
    finally:
        connection.close()


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize(
    "name, value",
    [
        ("Authorization", "nonsense"),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=x"),
        ("Authorization", ""),
        ("Host", "elsewhere.example"),
        ("X-Amz-Date", "20200101T000000Z"),
        ("X-Amz-Target", "SageMaker.DeletePipeline"),
        ("Content-Type", "text/plain"),
        ("X-Amz-Security-Token", "x"),
    ],
)
def test_a_header_of_which_there_can_be_one_is_refused_twice(
    server: Server, name: str, value: str, first: bool
) -> None:
    answer = repeated(server, name, value, first=first)
    assert (answer.status, answer.code) == (400, "IncompleteSignatureException")
    assert json.loads(answer.body)["message"] == f"The request has more than one '{name.lower()}' header."


def test_a_header_whose_value_is_a_list_may_be_repeated(server: Server) -> None:
    assert repeated(server, "Accept", "a/b", first=True).status == 200
