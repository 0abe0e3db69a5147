"""The messages that pages quote are messages of the code: who changes one finds the page that explains it."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "docs" / "howto" / name for name in ("troubleshoot.md", "upgrade.md")]
BLOCK = re.compile(r"^```text\n(.*?)\n```", re.DOTALL | re.MULTILINE)
QUOTED = [(page.stem, message) for page in PAGES for message in BLOCK.findall(page.read_text())]
VARIES = "\0"


@pytest.mark.parametrize(("page", "message"), QUOTED)
def test_a_quoted_message_is_one_of_the_code(page: str, message: str) -> None:
    assert any(message.replace("...", VARIES) in text for text in _messages()), f"{page}.md: {message}"


def test_messages_are_quoted() -> None:
    assert len(QUOTED) >= 30


@pytest.mark.parametrize(
    "message", ["no server runs at all", "the execution has no step `Score` yet", "the port ... is taken"]
)
def test_a_message_that_the_code_does_not_have_is_noticed(message: str) -> None:
    assert not any(message.replace("...", VARIES) in text for text in _messages())


@cache
def _messages() -> frozenset[str]:
    """All texts of the code, with VARIES for each value that is put into one."""
    return frozenset(
        _text(node)
        for path in (ROOT / "src" / "passrole").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.JoinedStr | ast.Constant)
    )


def _text(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return re.sub(r"\{\w*\}|%s", VARIES, node.value) if isinstance(node.value, str) else ""
    parts = (part.value if isinstance(part, ast.Constant) else VARIES for part in node.values)
    return re.sub(f"{VARIES}+", VARIES, "".join(str(part) for part in parts))
