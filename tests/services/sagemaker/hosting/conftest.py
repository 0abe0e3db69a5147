"""Models that are served for real: an archive with an inference.py, a role that may read it, endpoints."""

import io
import json
import tarfile
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.conftest import Server, new_name
from tests.eventually import eventually

IMAGE = "683313688378.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
TIMES = """
    import json

    def model_fn(model_dir):
        return json.load(open(model_dir + "/factor.json"))

    def input_fn(body, content_type):
        if content_type != "text/csv":
            raise ValueError("no such content type: " + content_type)
        return [float(value) for value in body.split(",")]

    def predict_fn(data, factor):
        return [value * factor for value in data]

    def output_fn(prediction, accept):
        return json.dumps(prediction), "application/json"
    """
"""An inference.py whose model is a factor."""

LOGS = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]


def archive(files: Mapping[str, str]) -> bytes:
    """A model.tar.gz."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, text in files.items():
            content = textwrap.dedent(text).encode()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


class Host:
    """What is needed to deploy, and what is asked then. What it makes is ended with `close`."""

    def __init__(self, server: Server) -> None:
        self.server, self.sagemaker = server, server.client("sagemaker")
        self.runtime = server.client("sagemaker-runtime")
        self.bucket = new_name("hosted")
        server.client("s3").create_bucket(Bucket=self.bucket)
        read = {"Effect": "Allow", "Action": "s3:*", "Resource": f"arn:aws:s3:::{self.bucket}*"}
        write = {"Effect": "Allow", "Action": LOGS, "Resource": "*"}
        self.role = server.role([{"Version": "2012-10-17", "Statement": [read, write]}])
        self._endpoints: list[str] = []

    def model(self, factor: float = 2, code: str = TIMES, **members: Any) -> str:
        """The name of a new model."""
        name = new_name("model")
        files = {"factor.json": json.dumps(factor), "code/inference.py": code}
        self.server.client("s3").put_object(Bucket=self.bucket, Key=f"{name}.tar.gz", Body=archive(files))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{self.bucket}/{name}.tar.gz"}
        given = {"PrimaryContainer": container, "ExecutionRoleArn": self.role, **members}
        self.sagemaker.create_model(ModelName=name, **given)
        return name

    def config(self, *variants: Mapping[str, Any], client: Any = None, **members: Any) -> str:
        """The name of a new configuration, of these variants or of one with a new model."""
        name = new_name("config")
        given = [self.variant(**each) for each in variants or ({},)]
        (client or self.sagemaker).create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=given, **members
        )
        return name

    def variant(self, **members: Any) -> dict[str, Any]:
        """A variant; members that are None are left out."""
        given = {
            "VariantName": "AllTraffic",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            **members,
        }
        if "ModelName" not in given:
            given["ModelName"] = self.model()
        return {name: value for name, value in given.items() if value is not None}

    def endpoint(self, config: str | None = None, *, client: Any = None, **members: Any) -> str:
        """The name of a new endpoint."""
        name = new_name("endpoint")
        self._endpoints.append(name)
        (client or self.sagemaker).create_endpoint(
            EndpointName=name, EndpointConfigName=config or self.config(), **members
        )
        return name

    def in_service(self, name: str) -> dict[str, Any]:
        """The description of an endpoint once it is in progress no more; it must be in service."""
        described = self.settled(name)
        assert described["EndpointStatus"] == "InService", (described, self.printed(name))
        return described

    def settled(self, name: str) -> dict[str, Any]:
        """The description of an endpoint once it is in progress no more."""

        def over() -> dict[str, Any] | None:
            described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            return None if described["EndpointStatus"] in ("Creating", "Updating") else described

        return eventually(over)

    def gone(self, name: str) -> None:
        """Delete the endpoint and wait until it is not there."""
        self.settled(name)
        self.sagemaker.delete_endpoint(EndpointName=name)
        eventually(lambda: not self.exists(name))

    def exists(self, name: str) -> bool:
        try:
            self.sagemaker.describe_endpoint(EndpointName=name)
        except ClientError:
            return False
        return True

    def ask(self, name: str, body: str = "1,2", **members: Any) -> Any:
        """What the endpoint answers, as JSON."""
        given = {"ContentType": "text/csv", **members}
        answer = self.runtime.invoke_endpoint(EndpointName=name, Body=body.encode(), **given)
        return json.loads(answer["Body"].read())

    def printed(self, name: str) -> str:
        """The endpoint's log."""
        logs, group = self.server.client("logs"), f"/aws/sagemaker/Endpoints/{name}"
        try:
            streams = logs.describe_log_streams(logGroupName=group)["logStreams"]
        except ClientError:
            return ""
        pages = [
            logs.get_log_events(logGroupName=group, logStreamName=each["logStreamName"], startFromHead=True)
            for each in streams
        ]
        return "\n".join(event["message"] for page in pages for event in page["events"])

    def close(self) -> None:
        for name in filter(self.exists, self._endpoints):
            self.gone(name)


@pytest.fixture(scope="module")
def host(server: Server) -> Iterator[Host]:
    made = Host(server)
    yield made
    made.close()
