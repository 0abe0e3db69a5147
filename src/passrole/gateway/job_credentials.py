"""Answers programs of jobs, EMR steps and models that ask for their role's credentials:
`GET /_passrole/job-credentials/<place>`.

The request has no signature, for it asks for what one signs with; its Authorization header is the token of
the place. Whoever has not got it learns nothing, not even whether there is such a job.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html
"""

from collections.abc import Awaitable, Callable, Mapping

import orjson

from passrole.faults import Fault
from passrole.services.program_credentials import PATH
from passrole.wire import HttpRequest, HttpResponse
from passrole.wire.s3_routing import bucket_of_host

IssueCredentials = Callable[[str, str], Awaitable[Mapping[str, str | int] | None]]


def is_meant(request: HttpRequest) -> bool:
    """Whether the request asks for them; on a bucket's host the same path is an object's key."""
    return (
        request.raw_path.startswith(PATH)
        and request.method == "GET"
        and bucket_of_host(request.headers.get("host", "")) is None
    )


async def respond(request: HttpRequest, issue: IssueCredentials) -> HttpResponse:
    """The credentials, or why there are none."""
    try:
        issued = await issue(request.raw_path.removeprefix(PATH), request.headers.get("authorization", ""))
    except Fault as fault:
        return _answer(403 if fault.sender else 500, {"code": fault.code, "message": fault.message})
    if issued is None:
        return _answer(401, {"code": "UnauthorizedException", "message": "The token is not valid."})
    return _answer(200, issued)


def _answer(status: int, body: Mapping[str, str | int]) -> HttpResponse:
    content = orjson.dumps(body)
    headers = [("content-type", "application/json"), ("content-length", str(len(content)))]
    return HttpResponse(status, headers, content)
