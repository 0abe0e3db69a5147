"""Identifiers have AWS's formats."""

import re
import time

import pytest

from passrole import ids


def test_executions_of_one_of_several_nodes_begin_with_its_letters() -> None:
    begins = {node: ids.execution_id(node)[:2] for node in (1, 35, 36, 36 * 36)}
    assert begins == {1: "01", 35: "0z", 36: "10", 36 * 36: "00"}
    assert all(re.fullmatch("[a-z0-9]{12}", ids.execution_id(node)) for node in (0, 1, 40_000))


@pytest.mark.parametrize("node", [0, 7])
def test_executions_that_start_one_after_the_other_stand_one_after_the_other(
    node: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time_ns", iter(range(1_800_000_000_000_000_000, 2**63, 1_000)).__next__)
    drawn = [ids.execution_id(node) for _ in range(2_000)]
    assert drawn == sorted(set(drawn))


def test_executions_that_start_in_one_microsecond_have_ids_of_their_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: 1_800_000_000_000_000_000)
    assert len({ids.execution_id() for _ in range(10)}) > 1
