"""Definitions by name, and the needs they have."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from passrole.arns import Account, Region
from passrole.needs import (
    Answer,
    Need,
    Place,
    evaluate_needs,
    execution_role_session,
    needs_of_role,
    read_definition,
    trust_need,
)
from passrole.policy import PolicySet, parse_document
from passrole.policy.managed import PIPELINES_INTEGRATIONS, policies

PLACE = Place(Region("us-west-2"), Account("123456789012"))
ROLE = "arn:aws:iam::123456789012:role/x"


@pytest.fixture(scope="session")
def recorded() -> dict[str, str]:
    """The text of every recorded definition: those that run here, and those that do not."""
    here = Path(__file__).parent
    folders = (here.parent / "definition" / "recorded", here / "definitions")
    return {file.stem: file.read_text() for folder in folders for file in sorted(folder.glob("*.json"))}


@pytest.fixture(scope="session")
def needs_of() -> Callable[..., list[Need]]:
    """The needs of a definition's text, or of steps; `parameters` are their declarations."""

    def read(*steps: Any, parameters: Any = (), **given: str) -> list[Need]:
        if isinstance(steps[0], str):
            return needs_of_role(read_definition(steps[0], given), PLACE)
        text = json.dumps({"Version": "2020-12-01", "Parameters": list(parameters), "Steps": steps})
        return needs_of_role(read_definition(text, given), PLACE)

    return read


@pytest.fixture(scope="session")
def managed() -> dict[str, PolicySet]:
    """A role's policies by version of the managed policy."""
    versions = policies()[PIPELINES_INTEGRATIONS].versions
    return {
        each.id: PolicySet(((PIPELINES_INTEGRATIONS, parse_document(each.document)),)) for each in versions
    }


@pytest.fixture(scope="session")
def judged() -> Callable[..., list[Answer]]:
    """The verdicts on needs, and on the trust policy where there is one."""

    def ask(needs: list[Need], policies: PolicySet) -> list[Answer]:
        trust = [trust_need(ROLE)] if policies.trust else []
        return evaluate_needs([*trust, *needs], execution_role_session(ROLE), policies)

    return ask
