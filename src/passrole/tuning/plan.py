"""What a tuning job does next: new trials, trials to stop, or its end.

    runs ── enough was tried, or reached, or failed ──> ends ── all trials have ended ──> is over

An end that was decided stands, however the trials that are then stopped still come out.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from passrole.tuning.request import Tuning
from passrole.tuning.stopping import unpromising
from passrole.tuning.trials import COMPLETED, FAILED, STOPPED, Trial, evaluated

ATTEMPTS_MAX = 5
"""So many trials without an objective, and nothing but failures is expected of the next.

https://github.com/aws/amazon-sagemaker-examples/issues/2437
"""

_IMPROVEMENT = 0.01
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_BestObjectiveNotImproving.html"""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a tuning job ends once its trials have: its status, and why it failed."""

    status: str
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done: start `count` new trials, stop those of the numbers `stops`."""

    count: int = 0
    stops: tuple[int, ...] = ()
    ending: Ending | None = None
    is_over: bool = False


def plan(
    tuning: Tuning,
    trials: Sequence[Trial],
    seconds: float,
    *,
    ending: Ending | None = None,
    is_stopping: bool = False,
) -> Plan:
    """What to do `seconds` after the creation. `ending` is what an earlier plan has decided."""
    running = [each for each in trials if each.is_running]
    if is_stopping:
        ending = Ending(STOPPED)
    decided = ending or _ending(tuning, trials, seconds)
    if decided is not None:
        stops = tuple(each.number for each in running if not each.is_stopping)
        return Plan(stops=stops, ending=decided, is_over=not running)
    left = tuning.at_once_max - len(running)
    if tuning.trials_max is not None:
        left = min(left, tuning.trials_max - len(trials))
    return Plan(count=max(left, 0), stops=tuple(unpromising(tuning, trials)))


def not_improving(tuning: Tuning, trials: Sequence[Trial]) -> int:
    """How many trials in a row have not improved the best objective by 1 %."""
    reached: float | None = None
    count = 0
    for _, value in evaluated(trials):
        gain = 0.0 if reached is None else (value - reached if tuning.is_maximised else reached - value)
        if reached is None or gain > abs(reached) * _IMPROVEMENT:
            count = 0
        else:
            count += 1
        reached = value if reached is None or gain > 0 else reached
    return count


def _ending(tuning: Tuning, trials: Sequence[Trial], seconds: float) -> Ending | None:
    ended = [each for each in trials if not each.is_running]
    values = [value for _, value in evaluated(trials)]
    is_late = tuning.runtime_seconds_max is not None and seconds >= tuning.runtime_seconds_max
    is_all = tuning.trials_max is not None and len(ended) >= tuning.trials_max
    if values:
        is_reached = is_all or is_late or _is_good_enough(tuning, values)
        return Ending(COMPLETED) if is_reached or _has_stalled(tuning, trials) else None
    if not (is_all or is_late or len(ended) >= ATTEMPTS_MAX):
        return None
    return Ending(FAILED, _reason(ended))


def _is_good_enough(tuning: Tuning, values: Sequence[float]) -> bool:
    if tuning.target is None:
        return False
    if tuning.is_maximised:
        return max(values) >= tuning.target
    return min(values) <= tuning.target


def _has_stalled(tuning: Tuning, trials: Sequence[Trial]) -> bool:
    most = tuning.not_improving_max
    return most is not None and not_improving(tuning, trials) >= most


def _reason(ended: Sequence[Trial]) -> str:
    """AWS's words: https://github.com/aws/amazon-sagemaker-examples/issues/2437 has the second."""
    if any(each.status != FAILED for each in ended):
        return (
            f"No objective metrics found after running {len(ended)} training jobs. Please ensure that the "
            "custom algorithm is emitting the objective metric as defined by the regular expression provided."
        )
    if len(ended) >= ATTEMPTS_MAX:
        return (
            f"No training job succeeded after {ATTEMPTS_MAX} attempts. Please take a look at the training "
            "job failures to get more details."
        )
    if ended:
        return (
            "All training jobs failed. Please take a look at the training jobs failures to get more details."
        )
    return "The tuning job reached MaxRuntimeInSeconds before any training job had ended."
