"""What an inference through the API costs, beside the same model server asked bare at its socket.

The model returns a number for each number. The bare request is made by this process over a connection that
stays open, as the server does; a call that does nothing tells how much of the rest any call takes.
"""

import http.client
import io
import json
import socket
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.measure import p50, wait_until
from bench.server import Server
from bench.table import Figure, Peer, Row

CALLS, WARM_UP = 400, 50
SECONDS_MAX = 0.004
BODY, TYPE = b"1,2,3", "text/csv"
BUCKET = NAME = "bench-endpoints"

_IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
_CODE = """
import json

def model_fn(model_dir):
    return 2.0

def input_fn(body, content_type):
    return [float(each) for each in body.split(",")]

def predict_fn(numbers, factor):
    return [each * factor for each in numbers]

def output_fn(prediction, accept):
    return json.dumps(prediction), "application/json"
"""
_MAY_ALL = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Resource": "*",
    "Action": ["s3:*", "logs:*"]}]}"""
_BY_SAGEMAKER = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
    "Principal": {"Service": "sagemaker.amazonaws.com"}}]}"""


class _Bare(http.client.HTTPConnection):
    """A connection to a socket in the file system, by a name that is short enough."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._path = path

    def connect(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            link = Path(folder) / "socket"
            link.symlink_to(self._path)
            self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self.sock.connect(str(link))


def rows() -> Iterator[Row]:
    """The inference, and how much of it any call through boto3 would take."""
    with tempfile.TemporaryDirectory() as folder, Server(Path(folder) / "data") as server:
        _deploy(server)
        runtime, sts = server.client("sagemaker-runtime"), server.client("sts")
        identity = p50(CALLS, sts.get_caller_identity, warm_up=WARM_UP)
        given = {"EndpointName": NAME, "ContentType": TYPE, "Body": BODY}
        inference = p50(CALLS, lambda: runtime.invoke_endpoint(**given)["Body"].read(), warm_up=WARM_UP)
        (path,) = (Path(folder) / "data").glob("jobs/endpoint/**/server/socket")
        bare = Peer("the bare model server", Figure(_seconds_of(_Bare(path)), "s"))
        server.client("sagemaker").delete_endpoint(EndpointName=NAME)
    yield Row(
        "inference of an endpoint through boto3, p50", Figure(inference, "s"), bare, Figure(SECONDS_MAX, "s")
    )
    yield Row("of it: what any call takes (GetCallerIdentity), p50", Figure(identity, "s"), bare)


def _seconds_of(connection: _Bare) -> float:
    def ask() -> None:
        connection.request("POST", "/invocations", BODY, {"Content-Type": TYPE})
        connection.getresponse().read()

    return p50(CALLS, ask, warm_up=WARM_UP)


def _deploy(server: Server) -> None:
    iam, s3, sagemaker = server.client("iam"), server.client("s3"), server.client("sagemaker")
    role = iam.create_role(RoleName=NAME, AssumeRolePolicyDocument=_BY_SAGEMAKER)["Role"]["Arn"]
    iam.put_role_policy(RoleName=NAME, PolicyName="all", PolicyDocument=_MAY_ALL)
    s3.create_bucket(Bucket=BUCKET)
    s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=_archive())
    container = {"Image": _IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker.create_model(ModelName=NAME, PrimaryContainer=container, ExecutionRoleArn=role)
    variant = {
        "VariantName": "v",
        "ModelName": NAME,
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName=NAME, ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName=NAME)

    def is_in_service() -> bool:
        status = sagemaker.describe_endpoint(EndpointName=NAME)["EndpointStatus"]
        assert status in ("Creating", "InService"), json.dumps(status)
        return bool(status == "InService")

    wait_until(is_in_service, "the endpoint")


def _archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(_CODE)
        tar.addfile(member, io.BytesIO(_CODE.encode()))
    return packed.getvalue()
