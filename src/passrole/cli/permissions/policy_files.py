"""Policies as people give them, in files or as a service keeps them, made ready for the evaluator.

It judges nothing, and knows no server. Input that cannot be used is Misuse: exit code 1 is for missing
permissions.
"""

import json
from pathlib import Path
from typing import Any

from passrole.cli.errors import Misuse
from passrole.policy.document import (
    CompiledPolicy,
    DocumentKind,
    MalformedPolicyDocument,
    compile_document,
    parse_document,
)
from passrole.policy.evaluate import NamedPolicy
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies
from passrole.policy.resource_syntax import PARTITIONS


def read_text(file: Path) -> str:
    """A file's text. Raises Misuse."""
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse(f"`{file}` cannot be read: {error}") from error


def policy_of(file: Path, kind: DocumentKind) -> CompiledPolicy:
    """A policy of any kind. Raises Misuse."""
    try:
        return parse_document(read_text(file), kind, PARTITIONS)
    except MalformedPolicyDocument as error:
        raise Misuse(f"`{file}` is not a usable policy: {error}") from error


def compile_stored(document: Any, kind: DocumentKind, name: str) -> CompiledPolicy:
    """A document that a service keeps, as text or as an object; the service has checked it, by its rules of
    that day. `name` is for the error. Raises Misuse.
    """
    try:
        elements = json.loads(document) if isinstance(document, str) else document
    except (ValueError, RecursionError) as error:
        raise Misuse(f"`{name}` is not a usable policy: {error}") from error
    return compile_document(elements, kind)


def managed_policy(version: str) -> NamedPolicy:
    """AmazonSageMakerPipelinesIntegrations in a version: `v1`, `v2`, `v3`."""
    versions = {each.id: each.document for each in policies()[PIPELINES_INTEGRATIONS].versions}
    return PIPELINES_INTEGRATIONS, parse_document(versions[version])
