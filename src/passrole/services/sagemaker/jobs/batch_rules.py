"""How a transform job splits its data, and what becomes of records and predictions: read from its request.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html
https://docs.aws.amazon.com/sagemaker/latest/dg/batch-transform-data-processing.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from passrole.services.sagemaker.jobs import json_paths
from passrole.services.sagemaker.jobs.json_paths import BadPath, Step

MIB = 1024 * 1024
PAYLOAD_MB_DEFAULT, PAYLOAD_MB_MAX = 6, 100
TIMEOUT_SECONDS_DEFAULT, RETRIES_DEFAULT = 600, 3
CSV, JSON, JSON_LINES = "text/csv", "application/json", "application/jsonlines"
_PROCESSED = (CSV, JSON, JSON_LINES)


class BadRule(ValueError):
    """Parameters that do not agree, or that are not supported; the message says which."""


@dataclass(frozen=True)
class Processing:
    """DataProcessing. `input_type` and `output_type` are content types without parameters."""

    input_filter: Sequence[Step]
    output_filter: Sequence[Step]
    joins: bool
    input_type: str
    output_type: str


@dataclass(frozen=True)
class Rules:
    """`concurrent`, `payload_bytes` and `is_single` are None where the request leaves them to the model."""

    split: str
    is_gzip: bool
    assembles_lines: bool
    content_type: str | None
    accept: str | None
    concurrent: int | None
    payload_bytes: int | None
    is_single: bool | None
    timeout_seconds: int
    retries: int
    processing: Processing | None

    def settled(self, told: Mapping[str, Any]) -> "Rules":
        """Where the request is silent, with the model's /execution-parameters, else with AWS's defaults."""
        concurrent = self.concurrent or _number(told.get("MaxConcurrentTransforms")) or 1
        payload = _number(told.get("MaxPayloadInMB")) or PAYLOAD_MB_DEFAULT
        strategy = told.get("BatchStrategy")
        return replace(
            self,
            concurrent=min(concurrent, PAYLOAD_MB_MAX),
            payload_bytes=self.payload_bytes or min(payload, PAYLOAD_MB_MAX) * MIB,
            is_single=strategy == "SINGLE_RECORD" if self.is_single is None else self.is_single,
        )


def rules(request: Mapping[str, Any]) -> Rules:
    """The rules of a CreateTransformJob request. Raises BadRule."""
    source, target = request["TransformInput"], request["TransformOutput"]
    concurrent, payload = request.get("MaxConcurrentTransforms") or 0, request.get("MaxPayloadInMB")
    if payload == 0:
        raise BadRule("passrole does not support MaxPayloadInMB 0: give the size of the largest payload")
    if payload is not None and payload * max(concurrent, 1) > PAYLOAD_MB_MAX:
        raise BadRule(
            "MaxPayloadInMB, and MaxConcurrentTransforms * MaxPayloadInMB, cannot be greater than 100 MB."
        )
    client = request.get("ModelClientConfig") or {}
    strategy = request.get("BatchStrategy")
    return Rules(
        split=source.get("SplitType") or "None",
        is_gzip=source.get("CompressionType") == "Gzip",
        assembles_lines=target.get("AssembleWith") == "Line",
        content_type=source.get("ContentType") or None,
        accept=target.get("Accept") or None,
        concurrent=concurrent or None,
        payload_bytes=None if payload is None else payload * MIB,
        is_single=None if strategy is None else strategy == "SingleRecord",
        timeout_seconds=client.get("InvocationsTimeoutInSeconds") or TIMEOUT_SECONDS_DEFAULT,
        retries=client.get("InvocationsMaxRetries", RETRIES_DEFAULT),
        processing=_processing(request),
    )


def _processing(request: Mapping[str, Any]) -> Processing | None:
    """None where every record and prediction stays as it is."""
    given = request.get("DataProcessing") or {}
    joins = given.get("JoinSource") == "Input"
    filters = {name: _path(name, given.get(name) or "$") for name in ("InputFilter", "OutputFilter")}
    if not joins and not any(filters.values()):
        return None
    source = request["TransformInput"]
    input_type = _bare(source.get("ContentType"))
    output_type = _bare(request["TransformOutput"].get("Accept")) or input_type
    if input_type not in _PROCESSED or output_type not in _PROCESSED:
        raise BadRule(
            "DataProcessing needs data in text/csv, application/json or application/jsonlines: set "
            "ContentType and Accept to one of them."
        )
    if joins and (input_type == CSV) != (output_type == CSV):
        raise BadRule("JoinSource Input needs ContentType and Accept of one format: both CSV, or both JSON.")
    if (source.get("SplitType") or "None") not in ("None", "Line"):
        raise BadRule("DataProcessing needs SplitType Line or None.")
    return Processing(
        input_filter=filters["InputFilter"],
        output_filter=filters["OutputFilter"],
        joins=joins,
        input_type=input_type,
        output_type=output_type,
    )


def _path(name: str, expression: str) -> list[Step]:
    try:
        return json_paths.parse(expression)
    except BadPath as error:
        raise BadRule(f"{name} is not a JSONPath that batch transform knows: {error}") from None


def _bare(content_type: str | None) -> str:
    return (content_type or "").partition(";")[0].strip().lower()


def _number(value: Any) -> int | None:
    """What a model tells, which may be anything."""
    is_count = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return int(value) if is_count else None
