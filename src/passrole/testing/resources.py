"""What tests make in one line: roles, buckets, queues, functions, and clients for all the rest."""

import io
import itertools
import json
import sys
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from passrole.client.connection import Connection, service_descriptions
from passrole.client.packaging import archive

Document = Mapping[str, Any]

_HANDLER = "main.handler"
_NO_CONSTRAINT = "us-east-1"
"""The region whose buckets are made without naming it."""


class Resources:
    """Makes them as the administrator of the connection's server."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._numbers = itertools.count(1)
        self._clients: dict[tuple[str, str, str], Any] = {}

    def client(self, service: str, *, role: str | None = None, region: str | None = None) -> Any:
        """A boto3 client of the administrator, or of a `role` (its name or ARN) that trusts SageMaker."""
        where = service, role or "", region or self._connection.access.region
        if role is not None:
            return self._new_client(*where)
        if where not in self._clients:
            self._clients[where] = self._new_client(*where)
        return self._clients[where]

    def role(
        self,
        *policies: Document | str,
        name: str | None = None,
        trust: str | Document = "sagemaker.amazonaws.com",
        allow: Sequence[str] = (),
        deny: Sequence[str] = (),
        resource: str | Sequence[str] = "*",
    ) -> str:
        """A role's ARN. `policies` are documents, or ARNs of managed ones; without any it may do nothing.

        `allow` and `deny` are actions, on `resource`. `trust` is a service, or a trust policy.
        """
        iam, chosen = self.client("iam"), name or self._name("role")
        document = trust if isinstance(trust, Mapping) else _trusting(trust)
        made = iam.create_role(RoleName=chosen, AssumeRolePolicyDocument=json.dumps(document))
        inline = [each for each in policies if not isinstance(each, str)]
        inline += [_policy(effect, actions, resource) for effect, actions in _effects(allow, deny)]
        for number, policy in enumerate(inline, 1):
            iam.put_role_policy(
                RoleName=chosen, PolicyName=f"policy-{number}", PolicyDocument=json.dumps(policy)
            )
        for arn in (each for each in policies if isinstance(each, str)):
            iam.attach_role_policy(RoleName=chosen, PolicyArn=arn)
        return str(made["Role"]["Arn"])

    def bucket(
        self, name: str | None = None, *, files: Mapping[str, str | bytes | Path] | None = None
    ) -> str:
        """A bucket's name; `files` are its objects by key: text, bytes, or a file to read."""
        s3, chosen = self.client("s3"), name or self._name("bucket")
        region = self._connection.access.region
        where = {} if region == _NO_CONSTRAINT else {"LocationConstraint": region}
        s3.create_bucket(Bucket=chosen, **({"CreateBucketConfiguration": where} if where else {}))
        for key, content in (files or {}).items():
            body = content.read_bytes() if isinstance(content, Path) else content
            s3.put_object(Bucket=chosen, Key=key, Body=body)
        return chosen

    def queue(self, name: str | None = None, **attributes: str) -> str:
        """A queue's URL."""
        made = self.client("sqs").create_queue(QueueName=name or self._name("queue"), Attributes=attributes)
        return str(made["QueueUrl"])

    def messages(self, queue_url: str, *, seconds: int = 0) -> list[Any]:
        """The messages that a queue has now, taken out of it; JSON is read. Wait `seconds` for the first."""
        sqs, found = self.client("sqs"), list[Any]()
        while taken := sqs.receive_message(
            QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=0 if found else seconds
        ).get("Messages", []):
            for message in taken:
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
                found.append(_read(message["Body"]))
        return found

    def function(
        self,
        code: str | Path,
        *,
        name: str | None = None,
        handler: str = _HANDLER,
        role: str | None = None,
        **settings: Any,
    ) -> str:
        """The ARN of a Lambda function in Python, once it can be invoked.

        `code` is the text of a module that has a function `handler`, or the folder of its files. `settings`
        are further parameters of CreateFunction.
        """
        lambda_, chosen = self.client("lambda"), name or self._name("function")
        zipped = archive(code) if isinstance(code, Path) else _zipped(code)
        made = lambda_.create_function(
            FunctionName=chosen,
            Runtime=f"python{sys.version_info.major}.{sys.version_info.minor}",
            Role=self._connection.role_arn(role) if role else self._connection.access.lambda_role_arn,
            Handler=handler,
            Code={"ZipFile": zipped},
            **settings,
        )
        lambda_.get_waiter("function_active_v2").wait(FunctionName=chosen, WaiterConfig={"Delay": 0.01})
        return str(made["FunctionArn"])

    def name_anew(self) -> None:
        """Give names from 1 on again."""
        self._numbers = itertools.count(1)

    def _name(self, kind: str) -> str:
        """Of the form that AWS's policies for pipelines allow: resources with `sagemaker` in their names."""
        return f"sagemaker-{kind}-{next(self._numbers)}"

    def _role_arn(self, role: str | None) -> str:
        return self._connection.role_arn(role)

    def _new_client(self, service: str, role: str, region: str) -> Any:
        import boto3
        from botocore.config import Config
        from botocore.session import Session

        reading = Session()
        reading.register_component("data_loader", service_descriptions())
        keys = self._connection.role_keys(role) if role else self._connection.keys
        session = boto3.Session(
            keys.access_key_id,
            keys.secret_access_key,
            keys.token,
            region_name=region,
            botocore_session=reading,
        )
        config = Config(retries={"total_max_attempts": 1}, inject_host_prefix=False)
        return session.client(service, endpoint_url=self._connection.url, config=config)  # type: ignore[call-overload]


def _effects(allow: Sequence[str], deny: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    return [(effect, actions) for effect, actions in (("Allow", allow), ("Deny", deny)) if actions]


def _policy(effect: str, actions: Sequence[str], resource: str | Sequence[str]) -> Document:
    resources = [resource] if isinstance(resource, str) else list(resource)
    statement = {"Effect": effect, "Action": list(actions), "Resource": resources}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _trusting(service: str) -> Document:
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _zipped(module: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("main.py", textwrap.dedent(module))
    return buffer.getvalue()


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
