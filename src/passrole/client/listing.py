"""Pipelines and executions as AWS's lists show them."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from botocore.exceptions import ClientError

from passrole.client.connection import Client
from passrole.client.errors import InvalidInput

Summary = Mapping[str, Any]

_PAGE_MAX = 100


def pipelines(sagemaker: Client) -> list[Summary]:
    """PipelineSummaries, newest first. Raises ClientError."""
    return list(pages(sagemaker, "list_pipelines", "PipelineSummaries"))


def executions(sagemaker: Client, pipeline: str, limit: int | None = None) -> list[Summary]:
    """PipelineExecutionSummaries of a pipeline, newest first. Raises InvalidInput, ClientError."""
    asked = {"PipelineName": pipeline, "MaxResults": min(_PAGE_MAX, limit or _PAGE_MAX)}
    found = pages(sagemaker, "list_pipeline_executions", "PipelineExecutionSummaries", **asked)
    try:
        return list(islice(found, limit))
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFound":
            raise
        raise InvalidInput(
            f"there is no pipeline `{pipeline}`; `passrole list` shows what there is"
        ) from error


def pages(client: Client, operation: str, member: str, **asked: Any) -> Iterator[Summary]:
    """All of a list of AWS, whatever its pages. Raises ClientError."""
    for page in client.get_paginator(operation).paginate(**asked):
        yield from page[member]
