"""What is pressed on a terminal."""

import pytest

from passrole.cli.pipelines.keys import names_of


@pytest.mark.parametrize(
    "text, keys",
    [
        ("ar", ["a", "r"]),
        ("\r", ["enter"]),
        ("\x1b", ["escape"]),
        ("\x1b[A\x1b[B\t\x1bOA", ["previous", "next", "next", "previous"]),
        ("x\x7f\x15", ["x", "erase", "clear"]),
        ("\x1b[3~\x1b[1;5C\x1bb\x02", []),  # keys without a meaning here: Delete, Ctrl-Right, Alt-b, Ctrl-B
        ("é漢", ["é", "漢"]),
        ("\x1b[200~pasted\x1b[201~", list("pasted")),
    ],
)
def test_a_sequence_is_one_key(text: str, keys: list[str]) -> None:
    assert list(names_of(text)) == keys
