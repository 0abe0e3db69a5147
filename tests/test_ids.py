"""Identifiers have AWS's formats."""

import re

from passrole import ids


def test_executions_of_one_of_several_nodes_begin_with_its_letters() -> None:
    begins = {node: ids.execution_id(node)[:2] for node in (1, 35, 36, 36 * 36)}
    assert begins == {1: "ab", 35: "a9", 36: "ba", 36 * 36: "aa"}
    assert all(re.fullmatch("[a-z0-9]{12}", ids.execution_id(node)) for node in (0, 1, 40_000))
