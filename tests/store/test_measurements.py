"""A measurement is the key of its notice, and the key is the measurement."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from passrole.history import ExecutionEnd, StepEnd
from passrole.store.measurements import key_of, measured
from passrole.worker.traces import Count

numbers = st.floats(min_value=0, allow_infinity=False)


@given(
    st.one_of(
        st.builds(StepEnd, st.sampled_from(["Lambda", "EMRServerless"]), st.just("Failed"), numbers),
        st.builds(ExecutionEnd, st.sampled_from(["Succeeded", "Stopped"]), numbers),
        st.builds(Count, st.sampled_from(["sent", "dropped"]), st.integers(min_value=0)),
    )
)
def test_a_key_tells_of_its_measurement(measurement: NamedTuple) -> None:
    assert measured(type(measurement), key_of(measurement)) == measurement


def test_a_key_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="shorter"):
        measured(StepEnd, key_of(ExecutionEnd("Failed", 1.5)))
