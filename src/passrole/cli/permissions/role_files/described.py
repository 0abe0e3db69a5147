"""What a file tells of roles and policies, whatever its form."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from passrole.cli.documents import Path


@dataclass(frozen=True)
class Policy:
    """A policy document under its own name; `path` is where the file has it. `document` may be unusable."""

    name: str
    document: Any
    path: Path = ()
    arn: str | None = None


@dataclass(frozen=True)
class Role:
    """A role by the names that people may give it; the first is shown.

    `attached` are the ARNs of managed policies whose documents the file lacks.
    """

    names: tuple[str, ...]
    policies: tuple[Policy, ...] = ()
    attached: tuple[str, ...] = ()
    trust: Policy | None = None
    boundary: Policy | str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The name that is shown."""
        return self.names[0]


@dataclass(frozen=True)
class RoleFile:
    """The roles of a file and its other policies; `form` is for people, and so are the notes."""

    form: str
    roles: tuple[Role, ...] = ()
    policies: tuple[Policy, ...] = ()
    notes: tuple[str, ...] = ()


def decoded(document: Any) -> Any:
    """A policy document as AWS's APIs and tools write it: an object, JSON text, or that percent-encoded.

    https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetRole.html
    """
    if not isinstance(document, str):
        return document
    text = unquote(document) if document.lstrip()[:1] == "%" else document
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def tags_of(listed: Any) -> dict[str, str]:
    """Tags as IAM lists them: `Key` and `Value`."""
    found = listed if isinstance(listed, list) else []
    return {
        str(tag["Key"]): str(tag.get("Value", "")) for tag in found if isinstance(tag, dict) and "Key" in tag
    }
