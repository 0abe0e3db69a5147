"""The needs of the role of a job run of EMR Serverless: its script and packages, its arguments, its logs.

What a program does with an `s3://` argument nobody knows before it runs, so each is what it may ask for.
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/security-iam-runtime-role.html
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/logging.html
https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/jobs-log-encryption.html
"""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from passrole.definition.expressions import Json
from passrole.needs.document import Definition, RawStep, as_list, as_object
from passrole.needs.need import ANY, Need, Place, bucket_and_key, key_arn, object_arn, role_arn
from passrole.needs.steps import below
from passrole.policy.request import Values

_UNKNOWN: Final = "only where the program does that with its argument"
_LOGS: Final = "a job run ends without its logs"
_SCHEMES: Final = ("s3://", "s3a://", "s3n://")

# What spark-submit itself reads: https://spark.apache.org/docs/latest/configuration.html#runtime-environment
_FILES: Final = ("--py-files", "--jars", "--files", "--archives")
_CONF: Final = ("--conf", "-c")
_FILE_PROPERTIES: Final = ("spark.submit.pyFiles", "spark.jars", "spark.files", "spark.archives")
_DEFAULTS: Final = "spark-defaults"

_OF_OBJECTS: Final = (("GetObject", "may read"), ("PutObject", "may write"), ("DeleteObject", "may replace"))
_GROUP: Final = "/aws/emr-serverless"
_OF_STREAMS: Final = ("CreateLogGroup", "CreateLogStream", "DescribeLogStreams", "PutLogEvents")


def needs_of_job_run(step: RawStep, definition: Definition, place: Place) -> Iterator[Need]:
    """The needs of the step's ExecutionRoleArn; none where it names no role."""
    named = step.arguments.get("ExecutionRoleArn")
    if named is None:
        return
    role = role_arn(definition.text(named), place)
    job = as_object(step.arguments.get("JobConfig"))
    overrides = as_object(job.get("configurationOverrides"))
    driver = as_object(as_object(job.get("jobDriver")).get("sparkSubmit"))
    words = _words(definition.text(driver.get("sparkSubmitParameters", "")))
    files = [*_files(words), *_default_files(overrides, definition)]
    arguments = [definition.text(each) for each in as_list(driver.get("entryPointArguments"))]
    monitoring = {
        **as_object(as_object(step.arguments.get("ApplicationConfig")).get("monitoringConfiguration")),
        **as_object(overrides.get("monitoringConfiguration")),
    }
    found = (
        *_reads(definition.text(driver.get("entryPoint", "")), place, "reads its program"),
        *(need for uri in files for need in _reads(uri, place, "reads a file of spark-submit")),
        *(need for uri in _uris([*arguments, *_settings(words)]) for need in _may_use(uri, place)),
        *_logs_in_s3(as_object(monitoring.get("s3MonitoringConfiguration")), definition, place),
        *_log_streams(as_object(monitoring.get("cloudWatchLoggingConfiguration")), definition, place),
    )
    yield from (replace(need, step=step.name, role=role) for need in found)


def _reads(uri: str, place: Place, why: str) -> Iterator[Need]:
    """Of an object; a file of the image (`local://`) is nobody's."""
    arn = object_arn(uri, place)
    if arn is not None:
        yield _need("s3:GetObject", arn, why)


def _may_use(uri: str, place: Place) -> Iterator[Need]:
    objects, found = below(uri, place), bucket_and_key(uri)
    if objects is None or found is None:
        return
    bucket, prefix = found
    listed: dict[str, Values] = {"s3:prefix": f"{prefix.rstrip(ANY)}{ANY}"}
    arn = str(object_arn(f"s3://{bucket}", place)).rstrip("/")
    yield _need("s3:ListBucket", arn, "may list its argument", listed, optional=_UNKNOWN)
    for action, does in _OF_OBJECTS:
        yield _need(f"s3:{action}", objects, f"{does} its argument", optional=_UNKNOWN)


def _logs_in_s3(given: Mapping[str, Json], definition: Definition, place: Place) -> Iterator[Need]:
    uri = definition.text(given.get("logUri", ""))
    objects = below(uri if uri == ANY else f"{uri.rstrip('/')}/applications/", place)
    if objects is None:
        return
    yield _need("s3:PutObject", objects, "writes its logs", optional=_LOGS)
    if "encryptionKeyArn" in given:
        key = key_arn(definition.text(given["encryptionKeyArn"]), place)
        for action in ("GenerateDataKey", "Decrypt"):
            yield _need(f"kms:{action}", key, "encrypts its logs", optional=_LOGS)


def _log_streams(given: Mapping[str, Json], definition: Definition, place: Place) -> Iterator[Need]:
    if not given.get("enabled"):
        return
    group = definition.text(given.get("logGroupName", _GROUP))
    yield _need("logs:DescribeLogGroups", place.arn("logs", ANY), "finds its log group", optional=_LOGS)
    for action in _OF_STREAMS:
        arn = place.arn("logs", f"log-group:{group}:{ANY}")
        yield _need(f"logs:{action}", arn, "writes its logs", optional=_LOGS)


def _words(parameters: str) -> list[str]:
    """As spark-submit gets them; those with an open quotation it refuses."""
    try:
        return shlex.split(parameters)
    except ValueError:
        return []


def _files(words: Sequence[str]) -> Iterator[str]:
    """The files that spark-submit is told of, by an option or a property."""
    for option, value in pairwise(words):
        name, _, listed = value.partition("=")
        if option in _FILES:
            yield from value.split(",")
        elif option in _CONF and name in _FILE_PROPERTIES:
            yield from listed.split(",")


def _default_files(overrides: Mapping[str, Json], definition: Definition) -> Iterator[str]:
    for each in map(as_object, as_list(overrides.get("applicationConfiguration"))):
        properties: Mapping[str, Any] = as_object(each.get("properties"))
        if each.get("classification") == _DEFAULTS:
            for name in _FILE_PROPERTIES:
                yield from definition.text(properties.get(name, "")).split(",")


def _settings(words: Sequence[str]) -> Iterator[str]:
    """The other properties of spark-submit: a program may read them."""
    for option, value in pairwise(words):
        if option in _CONF and value.partition("=")[0] not in _FILE_PROPERTIES:
            yield value


def _uris(words: Sequence[str]) -> list[str]:
    """The distinct addresses of objects in the words, also in `--in=s3://bucket/key`."""
    parts = (part.rpartition("=")[2] if "=s3" in part else part for word in words for part in word.split(","))
    return list(dict.fromkeys(part for part in parts if part.startswith(_SCHEMES)))


def _need(
    action: str,
    resource: str,
    why: str,
    context: Mapping[str, Values] | None = None,
    *,
    optional: str | None = None,
) -> Need:
    return Need(None, action, resource, why, context or {}, is_pattern=ANY in resource, optional=optional)
