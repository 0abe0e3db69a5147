"""Files that hold a pipeline's definition, and where the definition is in them."""

from dataclasses import dataclass
from typing import Any

from passrole.cli.documents import (
    Document,
    Path,
    UnreadableDocument,
    read_document,
    read_limited,
)
from passrole.cli.errors import Misuse
from passrole.cli.options import pipeline_name
from passrole.cli.permissions.named_file import NamedFile

_DEFINITION = "PipelineDefinition"


@dataclass(frozen=True)
class PipelineFile:
    """A definition's text, the name of its pipeline, and the role that it names, if it does.

    `label` names the file for people and programs. `document` is its text as it is written, and `inside`
    where that holds the definition; of a file that makes its pipeline `program` is its text.
    """

    label: str
    text: str
    name: str
    role_arn: str | None = None
    inside: Path = ()
    form: str | None = None
    document: Document | None = None
    program: str | None = None


def read_pipeline_file(given: NamedFile) -> PipelineFile:
    """The definition in a file: alone, or as DescribePipeline answers with it. Raises Misuse."""
    text = read_limited(given.path)
    is_input = str(given.path) == "-"
    label = "-" if is_input else given.path.as_posix()
    stem = "pipeline" if is_input else pipeline_name(given.path.stem)
    if f'"{_DEFINITION}"' not in text:
        return _plain(label, text, stem)
    try:
        document = read_document(text, given.path.name)
    except UnreadableDocument as error:
        raise Misuse(f"`{label}`: {error}") from error
    return _described(label, document, stem) or _plain(label, text, stem)


def _described(label: str, document: Document, stem: str) -> PipelineFile | None:
    """What DescribePipeline answers.

    https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_DescribePipeline.html
    """
    value: Any = document.value
    definition = value.get(_DEFINITION) if isinstance(value, dict) else None
    if not isinstance(definition, str):
        return None
    role, name = value.get("RoleArn"), value.get("PipelineName")
    return PipelineFile(
        label,
        definition,
        str(name or stem),
        str(role) if role else None,
        (_DEFINITION,),
        "the answer of `aws sagemaker describe-pipeline`",
        document,
    )


def _plain(label: str, text: str, stem: str) -> PipelineFile:
    return PipelineFile(label, text, stem, document=Document(label, text, None))
