"""Calling the server of a data folder as its administrator.

Knows nothing of what is called for: the verbs do. Refusals leave in AWS's own words.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config as ClientConfig
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session
from botocore.session import Session

from passrole import app
from passrole.cli import starting
from passrole.cli.environment import Keys
from passrole.cli.verbs import Failed, Misuse
from passrole.config import Config

Client = Any  # botocore makes the classes of its clients when asked for them
Answer = Mapping[str, Any]

_NO_PROXY: dict[str, str] = {}
_CLIENT = ClientConfig(
    parameter_validation=False,  # the server's words, not the client's
    proxies=_NO_PROXY,
    retries={"total_max_attempts": 1},
)
_IGNORE_THE_USERS_OWN_AWS_SETTINGS = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
}


@dataclass(frozen=True)
class Connection:
    """A server, and the administrator's access to it; `temporary` if it ends with the verb."""

    url: str
    access: app.Access
    temporary: bool = False

    @property
    def keys(self) -> Keys:
        """The administrator's."""
        return Keys(self.access.access_key_id, self.access.secret_access_key)

    def client(self, service: str, region: str | None = None) -> Client:
        """A client that calls as the administrator, without a region in the folder's own."""
        return self._session.create_client(
            service,
            region_name=region or self.access.region,
            endpoint_url=self.url,
            aws_access_key_id=self.access.access_key_id,
            aws_secret_access_key=self.access.secret_access_key,
            config=_CLIENT,
        )

    def ask(self, operation: str, body: Answer) -> Answer:
        """The answer of one of passrole's own operations. Raises ClientError."""
        request = AWSRequest(
            method="POST",
            url=f"{self.url}/_passrole/{operation}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        credentials = Credentials(self.access.access_key_id, self.access.secret_access_key)
        SigV4Auth(credentials, "passrole", self.access.region).add_auth(request)
        response = URLLib3Session(proxies=_NO_PROXY).send(request.prepare())
        answer: Answer = json.loads(response.content or b"{}")
        if response.status_code >= 300:
            code = str(answer.get("__type", response.status_code)).rpartition("#")[2]
            message = str(answer.get("message", answer.get("Message", "")))
            raise ClientError({"Error": {"Code": code, "Message": message}}, operation)
        return answer

    def role_arn(self, role: str | None) -> str:
        """The ARN of a role given by name or ARN; without one the role that onboarding made."""
        if role is None:
            return self.access.role_arn
        if role.startswith("arn:"):
            return role
        return str(self.client("iam").get_role(RoleName=role)["Role"]["Arn"])

    def role_keys(self, role: str) -> Keys:
        """The temporary credentials of a role that trusts SageMaker."""
        with refusals_told():
            answer = self.ask("AssumeRoleForUser", {"RoleArn": self.role_arn(role)})
        given = answer["Credentials"]
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    @cached_property
    def _session(self) -> Session:
        return Session(session_vars=_IGNORE_THE_USERS_OWN_AWS_SETTINGS)


def known(config: Config, *, must_run: bool) -> Connection:
    """The connection to a folder that has been onboarded. Raises Misuse, or Failed where none runs."""
    access = _access(config) if config.data.is_dir() else None
    if access is None:
        raise Misuse(
            f"`{config.data}` is not a data folder yet; prepare it with `passrole init --data {config.data}`"
        )
    url = app.running(config)
    if url is None and must_run:
        raise Failed(
            f"no server runs on `{config.data}`; start one with `passrole serve --data {config.data}`"
        )
    return Connection(url or f"http://{config.host}:{config.port}", access)


@contextmanager
def lasting(config: Config) -> Iterator[Connection]:
    """The connection to the folder's server, which is started for this block where none runs."""
    with starting.server(config) as (url, temporary):
        access = _access(config)
        assert access is not None, "a server onboards its folder before it is ready"
        yield Connection(url, access, temporary)


@contextmanager
def refusals_told() -> Iterator[None]:
    """What the server refuses inside the block leaves as Failed, with AWS's code and words."""
    try:
        yield
    except ClientError as error:
        raise Failed(told(error)) from error
    except BotoCoreError as error:
        raise Failed(f"the server does not answer: {error}") from error


def _access(config: Config) -> app.Access | None:
    try:
        return app.access(config)
    except app.CannotKeep as error:
        raise Misuse(str(error)) from error


def told(error: ClientError) -> str:
    """`Code: message`."""
    details = error.response["Error"]
    return f"{details.get('Code', 'Error')}: {details.get('Message', '')}"
