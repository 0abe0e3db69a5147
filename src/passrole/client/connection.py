"""Calling the server of a data folder as its administrator.

What the server refuses leaves as botocore's ClientError.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSPreparedRequest, AWSRequest, AWSResponse
from botocore.config import Config as ClientConfig
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from botocore.httpsession import URLLib3Session
from botocore.loaders import Loader
from botocore.session import Session

from passrole import app, server_file
from passrole.client import server_process
from passrole.client.environment import Keys
from passrole.client.errors import InvalidInput, ServerUnavailable
from passrole.client.server_process import Guard, Say, silent
from passrole.config import Config

Client = Any  # botocore creates its client classes at run time
Answer = Mapping[str, Any]
Send = Callable[[AWSPreparedRequest], AWSResponse]

_NO_PROXY: dict[str, str] = {}
_CLIENT = ClientConfig(
    parameter_validation=False,  # so that the server's error messages appear, not the client's
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
    """A server, and the administrator's access to it; `temporary` if it stops at the end of the block.

    `send` takes the place of a network where no server runs and the folder itself is asked: it `is_at_rest`.
    """

    url: str
    access: app.Access
    temporary: bool = False
    send: Send | None = None

    @property
    def is_at_rest(self) -> bool:
        """Whether nothing runs on the folder, so that nothing changes."""
        return self.send is not None

    @property
    def keys(self) -> Keys:
        """The administrator's credentials."""
        return Keys(self.access.access_key_id, self.access.secret_access_key)

    def client(self, service: str, region: str | None = None) -> Client:
        """The client that calls as the administrator; the default region is the data folder's."""
        where = service, region or self.access.region
        if where not in self._clients:
            self._clients[where] = self._new_client(*where)
        return self._clients[where]

    def ask(self, operation: str, body: Answer) -> Answer:
        """The response of one of passrole's own operations. Raises ClientError."""
        request = AWSRequest(
            method="POST",
            url=f"{self.url}/_passrole/{operation}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        credentials = Credentials(self.access.access_key_id, self.access.secret_access_key)
        SigV4Auth(credentials, "passrole", self.access.region).add_auth(request)
        response = (self.send or _over_the_network)(request.prepare())
        answer: Answer = json.loads(response.content or b"{}")
        if response.status_code >= 300:
            code = str(answer.get("__type", response.status_code)).rpartition("#")[2]
            message = str(answer.get("message", answer.get("Message", "")))
            raise ClientError({"Error": {"Code": code, "Message": message}}, operation)
        return answer

    def role_arn(self, role: str | None) -> str:
        """The ARN of a role given by name or ARN; by default the role of `init`. Raises ClientError."""
        if role is None:
            return self.access.role_arn
        if role.startswith("arn:"):
            return role
        return str(self.client("iam").get_role(RoleName=role)["Role"]["Arn"])

    def role_keys(self, role: str) -> Keys:
        """The temporary credentials of a role that trusts SageMaker. Raises ClientError."""
        answer = self.ask("AssumeRoleForUser", {"RoleArn": self.role_arn(role)})
        given = answer["Credentials"]
        return Keys(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def _new_client(self, service: str, region: str) -> Client:
        client = self._session.create_client(
            service,
            region_name=region,
            endpoint_url=self.url,
            aws_access_key_id=self.access.access_key_id,
            aws_secret_access_key=self.access.secret_access_key,
            config=_CLIENT,
        )
        if self.send is not None:
            client.meta.events.register("before-send", _in_place_of_the_network(self.send))
        return client

    @cached_property
    def _clients(self) -> dict[tuple[str, str], Client]:
        return {}

    @cached_property
    def _session(self) -> Session:
        session = Session(session_vars=_IGNORE_THE_USERS_OWN_AWS_SETTINGS)
        session.register_component("data_loader", service_descriptions())
        return session


def connect(config: Config, *, must_run: bool) -> Connection:
    """The connection to a data folder that `init` prepared; `must_run` requires a server that answers.

    Raises InvalidInput if it is not a data folder, ServerUnavailable if no server runs.
    """
    access = _access_of_a_folder(config)
    url = server_file.url(config)
    if url is None and must_run:
        raise ServerUnavailable(
            f"no server runs on `{config.data}`; start one with `passrole serve --data {config.data}`"
        )
    return Connection(url or config.endpoint_url, access)


@cache
def service_descriptions() -> Loader:
    """Botocore's loader, one for all sessions of this process: a new one takes 0.1 s to read a service's."""
    loader: Loader = Session().get_component("data_loader")
    return loader


@contextmanager
def reading(config: Config) -> Iterator[Connection]:
    """The connection to the folder's server; if none runs, the folder itself answers, and stays as it is.

    Nothing that waits in it goes on. Only for operations that read. Raises InvalidInput.
    """
    access = _access_of_a_folder(config)
    url = server_file.url(config)
    if url is not None:
        yield Connection(url, access)
        return
    with at_rest(config) as found:
        yield found


@contextmanager
def at_rest(config: Config, *, writes: bool = False) -> Iterator[Connection]:
    """The connection to the folder itself, on which no server runs; see `app.at_rest`.

    Raises InvalidInput, DataFolderInUse.
    """
    from passrole.client import folder_at_rest

    access = _access_of_a_folder(config)
    try:
        with folder_at_rest.opened(config, writes=writes) as folder:
            yield Connection(config.endpoint_url, access, send=folder.send)
    except app.DataFolderUnusable as error:
        raise InvalidInput(str(error)) from error


@contextmanager
def connected(
    config: Config, say: Say = silent, warn: Say = silent, guard: Guard = nullcontext
) -> Iterator[Connection]:
    """The connection to the folder's server; if none runs, one is started for this block.

    See `server_process.running_server`.
    """
    with server_process.running_server(config, say, warn, guard) as (url, temporary):
        access = _access(config)
        assert access is not None, "a server onboards its folder before it is ready"
        yield Connection(url, access, temporary)


def _over_the_network(request: AWSPreparedRequest) -> AWSResponse:
    response: AWSResponse = URLLib3Session(proxies=_NO_PROXY).send(request)
    return response


def _in_place_of_the_network(send: Send) -> Callable[..., Any]:
    """What a handler of `before-send` answers is the response.

    https://github.com/boto/botocore/blob/develop/botocore/endpoint.py
    """
    return lambda request, **_: send(request)


def _access_of_a_folder(config: Config) -> app.Access:
    access = _access(config) if config.data.is_dir() else None
    if access is None:
        raise InvalidInput(
            f"`{config.data}` is not a data folder yet; prepare it with `passrole init --data {config.data}`"
        )
    return access


def _access(config: Config) -> app.Access | None:
    try:
        return app.access(config)
    except app.DataFolderUnusable as error:
        raise InvalidInput(str(error)) from error
