import re

from hypothesis import given, settings
from hypothesis import strategies as st

from passrole.engine.tokens import callback_token


@settings(max_examples=30)
@given(st.text(), st.text(max_size=64), st.integers(1, 20))
def test_a_token_keeps_to_the_pattern_of_the_api(seed: str, step: str, attempt: int) -> None:
    assert re.fullmatch("[a-zA-Z0-9]{10}", callback_token(seed, step, attempt))


def test_a_token_stays_the_same_for_ever() -> None:
    """Tokens are not stored with their recipe: changing it would orphan every pending callback."""
    assert callback_token("5eed", "c1", 1) == "mJdDNwyE6H"


def test_tokens_differ_by_seed_step_and_attempt() -> None:
    parts = [("a", "s", 1), ("b", "s", 1), ("a", "t", 1), ("a", "s", 2)]
    assert len({callback_token(*each) for each in parts}) == 4
