"""The S3 endpoint that the settings `s3_*` name, as this server's one client of it.

Every call is signed with the one access key that the settings name, whoever it is made for. So what the
endpoint says of that key is not for callers: they hear what S3 says when it cannot answer, and the log has
one line when that begins, and one when it is over.
"""

import asyncio
import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import lru_cache, partial
from typing import Any

from botocore import xform_name
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError
from botocore.response import StreamingBody
from botocore.session import Session

from passrole.config import Config
from passrole.faults import Fault

log = logging.getLogger(__name__)

AT_ONCE_MAX = 32
CONNECT_SECONDS_MAX = 5
READ_SECONDS_MAX = 60
ATTEMPTS = 3
"""The first, and two more after a short time where the endpoint does not answer or has its own error."""

_OF_THE_KEY = frozenset(
    {
        "AuthorizationHeaderMalformed",
        "ExpiredToken",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSecurity",
        "InvalidToken",
        "MissingSecurityHeader",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
    }
)
"""https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#ErrorCodeList"""

_UNAVAILABLE = "Service is unable to handle request."
_OWN_MEMBERS = ("Code", "Message")


class Endpoint:
    """Calls one endpoint. Its threads are its own: one that does not answer holds up nothing else."""

    def __init__(self, config: Config, *, attempts: int = ATTEMPTS) -> None:
        self._url = config.s3_endpoint
        self._threads = ThreadPoolExecutor(AT_ONCE_MAX, "s3-endpoint")
        self._problem: str | None = None
        self._client: Any = Session().create_client(
            "s3",
            region_name=config.region,
            endpoint_url=config.s3_endpoint,
            aws_access_key_id=config.s3_access_key_id or "none",  # or botocore would look for another
            aws_secret_access_key=config.s3_secret_access_key or "none",
            config=ClientConfig(
                parameter_validation=False,
                max_pool_connections=AT_ONCE_MAX,
                connect_timeout=CONNECT_SECONDS_MAX,
                read_timeout=READ_SECONDS_MAX,
                retries={"total_max_attempts": attempts, "mode": "standard"},
                s3={"addressing_style": "path"},
            ),
        )

    async def call(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The endpoint's answer. Raises Fault: the endpoint's own, or ServiceUnavailable where it does not
        answer or refuses the key.
        """
        ask = partial(self.ask, name, parameters)
        return await asyncio.get_running_loop().run_in_executor(self._threads, ask)

    def ask(self, name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The same; blocks."""
        try:
            answer = getattr(self._client, xform_name(name))(**parameters)
            answer.pop("ResponseMetadata", None)
            told = {member: _plain(value) for member, value in answer.items()}
        except ClientError as error:
            raise self._refusal(name, error) from error
        except BotoCoreError as error:
            raise self._unavailable(f"does not answer: {error}") from error
        self._note(None)
        return told

    def _refusal(self, name: str, error: ClientError) -> Fault:
        """The endpoint's; a HEAD without a body has its status for a code."""
        details = error.response["Error"]
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        code, message = details.get("Code", str(status)), details.get("Message", "")
        if code in _OF_THE_KEY:
            return self._unavailable(f"refuses the access key of the settings: {code}: {message}")
        if status >= 500:
            self._note(f"has an error of its own: {code}: {message}")
        elif code in ("AccessDenied", "403"):  # allowed here: it is the key of the settings that may not
            log.warning("the S3 endpoint %s refuses %s: %s: %s", self._url, name, code, message)
        else:
            self._note(None)
        members = {member: value for member, value in details.items() if member not in _OWN_MEMBERS}
        return Fault(code, message, status=status, sender=status < 500, members=members)

    def _unavailable(self, problem: str) -> Fault:
        self._note(problem)
        return Fault("ServiceUnavailable", _UNAVAILABLE, status=503, sender=False)

    def _note(self, problem: str | None) -> None:
        """Log what is wrong when it begins, and that it is over."""
        before, self._problem = self._problem, problem
        if problem is not None and before is None:
            log.error("the S3 endpoint %s %s", self._url, problem)
        elif problem is None and before is not None:
            log.warning("the S3 endpoint %s answers again", self._url)


@lru_cache(maxsize=4)
def endpoint(config: Config) -> Endpoint:
    """The one client of the settings' endpoint."""
    return Endpoint(config)


def problem(config: Config) -> str | None:
    """What is wrong with the settings' endpoint, asked once; None where it answers. Blocks."""
    asked = Endpoint(config, attempts=1)
    try:
        asked.ask("ListBuckets", {})
    except Fault as fault:
        return asked._problem or f"refuses to list its buckets: {fault.code}: {fault.message}"
    return None


def _plain(value: Any) -> Any:
    """As our own handlers answer: moments in epoch seconds, bodies as bytes."""
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, StreamingBody):
        return value.read()
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    return [_plain(inner) for inner in value] if isinstance(value, list) else value
