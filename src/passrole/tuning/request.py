"""What CreateHyperParameterTuningJob asks for, read whole; what passrole does not support is refused by name.

https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateHyperParameterTuningJob.html
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from passrole.tuning.ranges import Choice, InvalidRequest, Range, combinations, read_ranges

BAYESIAN, RANDOM, GRID, HYPERBAND = "Bayesian", "Random", "Grid", "Hyperband"

_RESOURCES = ("epochs", "numepochs", "n-epochs", "n_epochs", "num_epochs")
"""https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_HyperbandStrategyConfig.html"""
_RESOURCE_MAX = 20_000


@dataclass(frozen=True, slots=True)
class Definition:
    """A kind of training job that is tuned. `request` is AWS's HyperParameterTrainingJobDefinition."""

    name: str | None
    metric: str
    space: tuple[Range, ...]
    request: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tuning:
    """A tuning job. Limits that are None are not set; `resource` has Hyperband's least and greatest."""

    strategy: str
    is_maximised: bool
    definitions: tuple[Definition, ...]
    trials_max: int | None
    at_once_max: int
    runtime_seconds_max: float | None
    stops_early: bool
    target: float | None
    not_improving_max: int | None
    resource: tuple[int, int] | None
    seed: str

    @property
    def watches(self) -> bool:
        """Whether trials may be stopped for what they print while they run."""
        return self.stops_early or self.resource is not None


def read_request(request: Mapping[str, Any], seed: str) -> Tuning:
    """The tuning job of a request; `seed` counts where it names no RandomSeed. Raises InvalidRequest."""
    _refuse(request)
    config = request["HyperParameterTuningJobConfig"]
    limits, criteria = config["ResourceLimits"], config.get("TuningJobCompletionCriteria") or {}
    definitions, type_ = _definitions(request, config)
    strategy = config["Strategy"]
    tuning = Tuning(
        strategy=strategy,
        is_maximised=type_ == "Maximize",
        definitions=definitions,
        trials_max=limits.get("MaxNumberOfTrainingJobs"),
        at_once_max=limits["MaxParallelTrainingJobs"],
        runtime_seconds_max=limits.get("MaxRuntimeInSeconds"),
        stops_early=config.get("TrainingJobEarlyStoppingType") == "Auto",
        target=criteria.get("TargetObjectiveMetricValue"),
        not_improving_max=(criteria.get("BestObjectiveNotImproving") or {}).get(
            "MaxNumberOfTrainingJobsNotImproving"
        ),
        resource=_resource(config, definitions) if strategy == HYPERBAND else None,
        seed=str(config["RandomSeed"]) if "RandomSeed" in config else seed,
    )
    return _limited(tuning)


def _refuse(request: Mapping[str, Any]) -> None:
    config = request["HyperParameterTuningJobConfig"]
    if request.get("WarmStartConfig"):
        raise InvalidRequest("passrole does not support WarmStartConfig")
    if (request.get("Autotune") or {}).get("Mode") == "Enabled":
        raise InvalidRequest("passrole does not support Autotune")
    criteria = config.get("TuningJobCompletionCriteria") or {}
    if (criteria.get("ConvergenceDetected") or {}).get("CompleteOnConvergence") == "Enabled":
        raise InvalidRequest("passrole does not support TuningJobCompletionCriteria.ConvergenceDetected")
    if config["Strategy"] == HYPERBAND and config.get("TrainingJobEarlyStoppingType") == "Auto":
        raise InvalidRequest(
            "The Hyperband strategy stops jobs early itself: TrainingJobEarlyStoppingType must be Off."
        )
    if config["Strategy"] != HYPERBAND and (config.get("StrategyConfig") or {}).get(
        "HyperbandStrategyConfig"
    ):
        raise InvalidRequest("A HyperbandStrategyConfig needs the strategy Hyperband.")


def _definitions(request: Mapping[str, Any], config: Mapping[str, Any]) -> tuple[tuple[Definition, ...], str]:
    """The definitions, and the one type that all their objectives have."""
    one, several = request.get("TrainingJobDefinition"), request.get("TrainingJobDefinitions")
    if bool(one) == bool(several):
        raise InvalidRequest("Give one of TrainingJobDefinition and TrainingJobDefinitions.")
    given: Sequence[Mapping[str, Any]] = several or [one]
    objectives = [_objective(each, config, is_one=bool(one)) for each in given]
    types = {each["Type"] for each in objectives}
    if len(types) > 1:
        raise InvalidRequest("The TuningObjective of all TrainingJobDefinitions must have the same Type.")
    names = [each.get("DefinitionName") for each in given]
    if several and (None in names or len(set(names)) < len(names)):
        raise InvalidRequest("Each of the TrainingJobDefinitions needs a DefinitionName of its own.")
    found = tuple(
        Definition(each.get("DefinitionName"), objective["MetricName"], _space(each, config, bool(one)), each)
        for each, objective in zip(given, objectives, strict=True)
    )
    return found, types.pop()


def _objective(definition: Mapping[str, Any], config: Mapping[str, Any], is_one: bool) -> Mapping[str, str]:
    outer = config.get("HyperParameterTuningJobObjective")
    if not is_one and outer:
        raise InvalidRequest("With TrainingJobDefinitions, each of them has its TuningObjective.")
    found: Mapping[str, str] | None = definition.get("TuningObjective") or outer
    if not found:
        raise InvalidRequest("A HyperParameterTuningJobObjective is required, or a TuningObjective.")
    return found


def _space(definition: Mapping[str, Any], config: Mapping[str, Any], is_one: bool) -> tuple[Range, ...]:
    outer = config.get("ParameterRanges")
    if not is_one and outer:
        raise InvalidRequest("With TrainingJobDefinitions, each of them has its HyperParameterRanges.")
    space = read_ranges(definition.get("HyperParameterRanges") or outer or {})
    if not space:
        raise InvalidRequest("A tuning job needs at least one range of a hyperparameter.")
    static = definition.get("StaticHyperParameters") or {}
    both = next((each.name for each in space if each.name in static), None)
    if both is not None:
        raise InvalidRequest(f"The hyperparameter {both} has both a range and a static value.")
    return space


def _resource(config: Mapping[str, Any], definitions: Sequence[Definition]) -> tuple[int, int]:
    """Hyperband's bounds; the upper one may be the number of epochs that the definitions give."""
    given = (config.get("StrategyConfig") or {}).get("HyperbandStrategyConfig") or {}
    least, most = given.get("MinResource", 1), given.get("MaxResource")
    if most is None:
        static = [each.request.get("StaticHyperParameters") or {} for each in definitions]
        texts = [one[name].strip('"') for one in static for name in _RESOURCES if name in one]
        most = max((int(text) for text in texts if text.isascii() and text.isdigit()), default=None)
    if most is None:
        raise InvalidRequest(
            "Hyperband needs a MaxResource in HyperbandStrategyConfig, or one of the static hyperparameters "
            f"{', '.join(_RESOURCES)}."
        )
    if not least <= most <= _RESOURCE_MAX:
        raise InvalidRequest(
            f"MinResource {least} must not be above MaxResource {most}, nor that above {_RESOURCE_MAX}."
        )
    return least, most


def _limited(tuning: Tuning) -> Tuning:
    """The tuning job, of Grid with the number of its trials. Raises InvalidRequest for impossible limits."""
    counts = [combinations(each.space) for each in tuning.definitions]
    total = None if None in counts else sum(each for each in counts if each is not None)
    if tuning.strategy == GRID:
        return _grid(tuning, total)
    if tuning.trials_max is None and tuning.runtime_seconds_max is None:
        raise InvalidRequest("ResourceLimits needs MaxNumberOfTrainingJobs or MaxRuntimeInSeconds.")
    if tuning.trials_max is not None and total is not None and total < tuning.trials_max:
        # https://github.com/aws/amazon-sagemaker-operator-for-k8s/issues/123
        raise InvalidRequest(
            "You don't have enough combinations of hyperparameter ranges. The total number of hyperparameter "
            f"combinations for the provided ranges [{float(total)}] must be equal or greater than the value "
            f"of MaxNumberOfJobs, [{tuning.trials_max}]. Provide additional ranges."
        )
    return _with_trials(tuning, total) if tuning.trials_max is None else tuning


def _grid(tuning: Tuning, total: int | None) -> Tuning:
    """https://docs.aws.amazon.com/sagemaker/latest/dg/automatic-model-tuning-how-it-works.html"""
    if any(not isinstance(one, Choice) for each in tuning.definitions for one in each.space):
        raise InvalidRequest("The Grid strategy takes categorical ranges only.")
    if tuning.trials_max not in (None, total):
        raise InvalidRequest(
            f"The Grid strategy runs all {total} combinations: MaxNumberOfTrainingJobs must be {total} or "
            "absent."
        )
    return _with_trials(tuning, total)


def _with_trials(tuning: Tuning, trials_max: int | None) -> Tuning:
    return replace(tuning, trials_max=trials_max)
