"""The steady clock: it never goes back, and comes back to the wall clock."""

from hypothesis import given
from hypothesis import strategies as st

from passrole.clock import SteadyClock


class Times:
    """Of the wall, which can be set, and the pace, which goes on."""

    def __init__(self) -> None:
        self.wall, self.pace = 1_000.0, 5.0
        self.steady = SteadyClock(lambda: self.wall, lambda: self.pace)

    def later(self, seconds: float) -> float:
        self.wall += seconds
        self.pace += seconds
        return self.steady()


def test_it_goes_on_where_the_wall_clock_is_set_back_and_lets_that_come_up() -> None:
    times = Times()
    assert times.later(0.0) == 1_000.0
    times.wall -= 200.0
    assert times.later(10.0) == 1_008.0
    assert times.later(890.0) == 1_720.0 == times.wall + 20.0
    assert times.later(100.0) == 1_800.0 == times.wall
    assert times.later(50.0) == times.wall


def test_it_follows_the_wall_clock_forward() -> None:
    times = Times()
    times.wall += 3_600.0
    assert times.later(1.0) == 4_601.0


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.floats(0.0, 1e4)), max_size=30))
def test_it_never_goes_back_and_is_never_behind_the_wall_clock(steps: list[tuple[float, float]]) -> None:
    times = Times()
    last = times.steady()
    for step, seconds in steps:
        times.wall += step
        now = times.later(seconds)
        assert now >= last - 1e-6 and now >= times.wall - 1e-6
        last = now
