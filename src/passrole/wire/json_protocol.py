"""The JSON protocols 1.0 and 1.1: SageMaker, EMR, EventBridge, CloudWatch Logs and SQS.

`json_values` reads and writes values, `errors` finds the code and status of faults.
"""

from collections.abc import Mapping
from typing import Any

import orjson
from botocore.model import OperationModel

from passrole.wire import json_values
from passrole.wire.descriptions import service_model
from passrole.wire.errors import WireError
from passrole.wire.http_messages import HttpRequest, HttpResponse
from passrole.wire.shapes import Parse, Render

DEFAULT_VERSION = "1.1"


def compile_parse(operation: OperationModel, service: str) -> Parse:
    """The function from a request to the operation's parameters."""
    shape = operation.input_shape
    read = json_values.reader(service)(shape) if shape is not None else None

    def parse(request: HttpRequest, _path_arguments: Mapping[str, str]) -> dict[str, Any]:
        body = json_values.load(request.body)
        return read(body) if read else {}

    return parse


def compile_render(operation: OperationModel, service: str) -> Render:
    """The function from the operation's result to a response."""
    shape = operation.output_shape
    write = json_values.writer(service)(shape) if shape is not None else None
    content_type = _content_type(service)

    def render(result: Mapping[str, Any], request_id: str) -> HttpResponse:
        body = orjson.dumps(write(result)) if write else b""
        return _response(200, body, request_id, content_type)

    return render


def render_error(error: WireError, request_id: str) -> HttpResponse:
    """The response to a failed call; clients take the code from `__type`."""
    content = {"__type": error.type_name, **json_values.error_content(error)}
    response = _response(error.status, orjson.dumps(content), request_id, _content_type(error.service))
    if error.query_code is None:
        return response
    # awsQueryCompatible: clients show this older code and find the exception class by `__type`.
    legacy = ("x-amzn-query-error", f"{error.query_code};{'Sender' if error.sender else 'Receiver'}")
    return HttpResponse(response.status, [*response.headers, legacy], response.body)


def _content_type(service: str | None) -> str:
    version = service_model(service).metadata["jsonVersion"] if service else DEFAULT_VERSION
    return f"application/x-amz-json-{version}"


def _response(status: int, body: bytes, request_id: str, content_type: str) -> HttpResponse:
    headers = [
        ("x-amzn-requestid", request_id),
        ("content-type", content_type),
        ("content-length", str(len(body))),
    ]
    return HttpResponse(status, headers, body)
