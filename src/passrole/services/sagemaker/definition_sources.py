"""Where the text of a definition comes from: the request itself, or an object in S3 that it names.

The SDK puts a definition of 100 KiB or more into S3. The object is read as the caller, who therefore
needs s3:GetObject on it.
"""

import asyncio
from collections.abc import Container, Mapping

from passrole.definition import DefinitionError
from passrole.definition.document import CHARACTERS_MAX
from passrole.faults import Fault
from passrole.history import definitions
from passrole.services.context import Context

BYTES_MAX = 4 * CHARACTERS_MAX
OFF_LOOP_CHARACTERS = 32_768
"""UTF-8 needs four bytes a character at most, so that a longer object is too long whatever it holds."""


async def definition_text(
    ctx: Context,
    text: str | None,
    location: Mapping[str, str] | None,
    stubbed: Container[str] = (),
) -> str | None:
    """The valid definition that is given, None where none is; steps that are `stubbed` may be of any type.

    Raises ValidationException.
    """
    if text is not None and location is not None:
        message = "PipelineDefinition and PipelineDefinitionS3Location cannot both be given."
        raise Fault("ValidationException", message)
    if location is not None:
        text = await _object_text(ctx, location)
    if text is not None:
        if len(text) > OFF_LOOP_CHARACTERS:
            await asyncio.to_thread(_validate, text, stubbed)
        else:
            _validate(text, stubbed)
    return text


async def _object_text(ctx: Context, location: Mapping[str, str]) -> str:
    where = f"s3://{location['Bucket']}/{location['ObjectKey']}"
    version = {"VersionId": location["VersionId"]} if "VersionId" in location else {}
    parameters = {"Bucket": location["Bucket"], "Key": location["ObjectKey"], "Range": f"bytes=0-{BYTES_MAX}"}
    try:
        body: bytes = (await ctx.call("s3", "GetObject", parameters | version))["Body"]
    except Fault as fault:
        if not fault.sender:  # our own failure says nothing about the object
            raise
        message = f"Could not read the pipeline definition from {where}. Error Details: {fault.message}"
        raise Fault("ValidationException", message) from fault
    if len(body) > BYTES_MAX:
        raise Fault("ValidationException", f"The pipeline definition in {where} is too long.")
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Fault("ValidationException", f"The pipeline definition in {where} is not UTF-8.") from error


def _validate(text: str, stubbed: Container[str]) -> None:
    try:
        definitions.parsed(text, stubbed)
    except DefinitionError as error:
        raise Fault("ValidationException", error.message) from error
