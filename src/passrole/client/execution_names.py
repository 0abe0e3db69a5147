"""The execution that a person means: by ARN, id, the beginning of an id, `last`, or its pipeline's name.

An id may have the name of its pipeline before it: `orders/qx3d`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from passrole.client import listing
from passrole.client.connection import Client, Connection
from passrole.client.errors import InvalidInput

LAST = "last"
"""The execution that was started last, of all pipelines."""

_SHOWN_MAX = 5
_UNKNOWN = ("ResourceNotFound", "ValidationException")


def execution_arn(connection: Connection, named: str) -> str:
    """The ARN of the execution. Raises InvalidInput, ClientError.

    What several may mean is the first of these: an ARN, `last`, a whole id, the name of a pipeline, which
    means its newest execution, and the beginning of an id.
    """
    if named.startswith("arn:"):
        return named
    sagemaker = connection.client("sagemaker")
    pipelines = listing.pipelines(sagemaker)
    if named == LAST:
        return _last(sagemaker, pipelines)
    of, slash, id_ = named.rpartition("/")
    among = [each for each in pipelines if each["PipelineName"] == of] if slash else pipelines
    whole = next((arn for each in among if (arn := _with_id(sagemaker, each, id_)) is not None), None)
    if whole is not None:
        return whole
    if any(each["PipelineName"] == named for each in pipelines):
        return _newest(sagemaker, named)
    return _only([arn for each in among for arn in _beginning_with(sagemaker, each, id_)], named)


def place(arn: str) -> str:
    """An execution as people see it: `pipeline/id`."""
    pipeline, _, id_ = arn.rpartition(":pipeline/")[2].partition("/execution/")
    return f"{pipeline}/{id_}"


def _last(sagemaker: Client, pipelines: list[Mapping[str, Any]]) -> str:
    started = [each for each in pipelines if "LastExecutionTime" in each]
    if not started:
        raise InvalidInput("no pipeline has been started yet; `passrole list` shows the pipelines")
    latest = max(each["LastExecutionTime"] for each in started)
    return _newest(
        sagemaker, next(each for each in started if each["LastExecutionTime"] == latest)["PipelineName"]
    )


def _with_id(sagemaker: Client, pipeline: Mapping[str, Any], id_: str) -> str | None:
    arn = f"{pipeline['PipelineArn']}/execution/{id_}"
    try:
        sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
    except ClientError as error:
        if error.response["Error"]["Code"] not in _UNKNOWN:
            raise
        return None
    return arn


def _newest(sagemaker: Client, pipeline: str) -> str:
    listed = listing.executions(sagemaker, pipeline, limit=1)
    if not listed:
        raise InvalidInput(
            f"the pipeline `{pipeline}` has not been started yet; `passrole start {pipeline}` starts it"
        )
    return str(listed[0]["PipelineExecutionArn"])


def _beginning_with(sagemaker: Client, pipeline: Mapping[str, Any], start: str) -> Iterator[str]:
    if start:
        for each in listing.executions(sagemaker, pipeline["PipelineName"]):
            arn = str(each["PipelineExecutionArn"])
            if arn.rpartition("/")[2].startswith(start):
                yield arn


def _only(found: list[str], named: str) -> str:
    if not found:
        raise InvalidInput(
            f"there is no execution and no pipeline `{named}`; `passrole list` shows what there is"
        )
    if len(found) > 1:
        shown = ", ".join(map(place, found[:_SHOWN_MAX]))
        more = f" and {len(found) - _SHOWN_MAX} more" if len(found) > _SHOWN_MAX else ""
        raise InvalidInput(
            f"`{named}` is the beginning of {len(found)} executions: {shown}{more}; add letters"
        )
    return found[0]
