"""A type of step has its row on every floor, or the floor is named that lacks it."""

from collections.abc import Mapping
from typing import Any

import pytest

from passrole.definition.kinds import KINDS as DEFINED
from passrole.definition.kinds import UNSUPPORTED
from passrole.definition.steps import CreationStep, FollowedStep
from passrole.engine.cache_key import COMPARED
from passrole.engine.kinds import JOB_TYPES
from passrole.engine.kinds import KINDS as RUN
from passrole.engine.properties import PROPERTIES
from passrole.needs.table import TABLE
from passrole.worker.calls import Calls
from passrole.worker.creations import KINDS as CREATED
from passrole.worker.job_steps.table import job_steps

WITHOUT_PROPERTIES = {"Fail"}
NEVER_TAKEN_OVER = {"Endpoint"}


def _by_name(rows: Mapping[type[Any], Any]) -> set[str]:
    return {step.type_ for step in rows}


async def _nobody(*_: Any, **__: Any) -> dict[str, Any]:
    raise AssertionError("nothing is called")


def _followed() -> set[str]:
    return {name for name, kind in DEFINED.items() if issubclass(kind.step, FollowedStep)}


def _creating() -> set[str]:
    return {name for name, kind in DEFINED.items() if issubclass(kind.step, CreationStep)}


@pytest.mark.parametrize(
    ("floor", "rows", "wanted"),
    [
        ("engine/kinds", _by_name(RUN), set(DEFINED) | set(UNSUPPORTED)),
        ("engine/kinds, jobs", _by_name(JOB_TYPES), _followed()),
        ("engine/properties", _by_name(PROPERTIES), (set(DEFINED) | set(UNSUPPORTED)) - WITHOUT_PROPERTIES),
        ("engine/cache_key", set(COMPARED) & set(DEFINED), _followed() - NEVER_TAKEN_OVER),
        ("needs/table", set(TABLE) & set(DEFINED), set(DEFINED)),
        ("worker/creations", set(CREATED), _creating()),
        ("worker/job_steps", set(job_steps(Calls(_nobody, lambda: 0.0), lambda: 0.0)), _followed()),
    ],
)
def test_every_floor_has_a_row(floor: str, rows: set[str], wanted: set[str]) -> None:
    assert rows == wanted, f"{floor} lacks {wanted - rows}, and has {rows - wanted} beside"
