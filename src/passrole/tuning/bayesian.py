"""The Bayesian strategy, by Optuna's tree-structured Parzen estimator (docs/decisions/0017-optuna.md).

AWS's own is a Gaussian process; both learn from the trials so far which values are worth a try. The sampler
is made anew each time, of the trials and a seed: nothing of it is in memory only.
"""

import hashlib
import importlib.util
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

from passrole.tuning.ranges import LOGARITHMIC, REVERSE, Choice, Range
from passrole.tuning.request import Definition, Tuning
from passrole.tuning.trials import SUCCEEDED, Trial

STARTS = 5
"""So many trials are drawn at random before one is proposed."""

MISSING = (
    "the strategy Bayesian needs Optuna: install passrole with the extra `tuning` "
    "(pip install 'passrole[tuning]') and start the server again, or use the strategy Random"
)


class SearchMissing(Exception):
    """The strategy needs a package that is not installed; the message says which."""

    def __init__(self) -> None:
        super().__init__(MISSING)


def is_installed() -> bool:
    """Whether Optuna can be imported, without doing so: that takes half a second."""
    return importlib.util.find_spec("optuna") is not None


def proposals(
    tuning: Tuning, definition: Definition, trials: Sequence[Trial], count: int
) -> Iterator[dict[str, str]]:
    """Values that are worth a try after these trials, the most promising first. Raises SearchMissing."""
    try:
        import optuna
    except ImportError:
        raise SearchMissing from None
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    seed = hashlib.sha256(f"{tuning.seed}/{definition.name}/{len(trials)}".encode()).digest()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some of its options are called experimental
        sampler = optuna.samplers.TPESampler(
            seed=int.from_bytes(seed[:4]), n_startup_trials=STARTS, constant_liar=True
        )
        study = optuna.create_study(
            sampler=sampler, direction="maximize" if tuning.is_maximised else "minimize"
        )
        space = {each.name: _distribution(optuna, each) for each in definition.space}
        for trial in trials:
            study.add_trial(_known(optuna, trial, definition.space, space))
        found = [study.ask(space).params for _ in range(count)]
    for one in found:
        yield {each.name: _text(each, one[each.name]) for each in definition.space}


def _distribution(optuna: Any, one: Range) -> Any:
    if isinstance(one, Choice):
        return optuna.distributions.CategoricalDistribution(one.values)
    if one.is_whole:
        is_logarithmic = one.scale == LOGARITHMIC
        return optuna.distributions.IntDistribution(int(one.low), int(one.high), log=is_logarithmic)
    if one.scale == REVERSE:
        return optuna.distributions.FloatDistribution(1 - one.high, 1 - one.low, log=True)
    return optuna.distributions.FloatDistribution(one.low, one.high, log=one.scale == LOGARITHMIC)


def _known(optuna: Any, trial: Trial, ranges: Sequence[Range], space: dict[str, Any]) -> Any:
    states = optuna.trial.TrialState
    counts = trial.objective_status == SUCCEEDED
    state = states.RUNNING if trial.is_running else states.COMPLETE if counts else states.FAIL
    return optuna.trial.create_trial(
        state=state,
        value=trial.objective if counts else None,
        params={each.name: _value(each, trial.values[each.name], space[each.name]) for each in ranges},
        distributions=space,
    )


def _value(one: Range, text: str, distribution: Any) -> Any:
    """A hyperparameter as Optuna has it; rounding never leads out of its range."""
    if isinstance(one, Choice):
        return text
    if one.is_whole:
        return int(text)
    value = 1 - float(text) if one.scale == REVERSE else float(text)
    return min(max(value, distribution.low), distribution.high)


def _text(one: Range, value: Any) -> str:
    if isinstance(one, Choice):
        return str(value)
    return one.text(1 - value if one.scale == REVERSE else value)
