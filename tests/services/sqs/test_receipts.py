"""A handle means one receive from one queue, and nothing else reads as a handle."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.services.sqs.receipts import Receipt, decode, encode


@given(
    st.integers(1, 2**63),
    st.uuids(),
    st.integers(1, 2**32 - 1),
    st.floats(0, 1e12, allow_nan=False),
)
def test_a_handle_carries_the_receive(seq: int, id_: uuid.UUID, count: int, at: float) -> None:
    receipt = Receipt(seq, str(id_), count, at)
    assert decode("a/r/q", encode("a/r/q", receipt)) == receipt


def test_a_handle_is_none_of_another_queues() -> None:
    handle = encode("a/r/one", Receipt(1, str(uuid.uuid4()), 1, 0.0))
    assert decode("a/r/two", handle) is None


@pytest.mark.parametrize("text", ["", "garbage", "ü", "AAAA", "A" * 60, "=" * 8, "A" * 61])
def test_other_text_is_no_handle(text: str) -> None:
    assert decode("a/r/q", text) is None


@given(st.text())
def test_no_text_breaks_the_reader(text: str) -> None:
    assert decode("a/r/q", text) is None
