"""What is done in one way is done in one place."""

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src" / "passrole"


def test_only_service_sessions_asks_for_a_role() -> None:
    asking = [
        str(path.relative_to(SOURCE))
        for path in sorted(SOURCE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and node.value == "AssumeRole"
    ]
    assert asking == ["services/service_sessions.py"]
