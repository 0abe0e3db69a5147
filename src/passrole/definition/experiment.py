"""The experiment and trial that an execution's jobs belong to: PipelineExperimentConfig.

Nothing runs differently for it; DescribePipelineExecution shows the names, and steps may refer to them.
"""

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from passrole.definition import problems as problem
from passrole.definition.expressions import (
    EXPERIMENT_NAMES,
    ExperimentRef,
    Expression,
    StepRef,
    VariableRef,
    references,
)
from passrole.definition.problems import Problem
from passrole.definition.reading import Node

Experiment: TypeAlias = Mapping[str, Expression]
"""ExperimentName and TrialName, or nothing where the definition wants none."""

_KEY = "PipelineExperimentConfig"
_DEFAULT: Experiment = {
    "ExperimentName": VariableRef("PipelineName"),
    "TrialName": VariableRef("PipelineExecutionId"),
}


def read_experiment(root: Node) -> Experiment:
    """What the definition says: null is no experiment, and nothing is what the SDK writes by default."""
    if not root.has(_KEY):
        return _DEFAULT
    node = root.object(_KEY, required=False)
    if node is None:
        return {}
    names = {key: node.expression(key, required=False) for key in EXPERIMENT_NAMES if node.has(key)}
    node.close()
    node.found.extend(_too_early(names, node.where))
    return names


def _too_early(names: Experiment, where: str) -> Iterator[Problem]:
    for name, expression in names.items():
        for reference in references(expression):
            if isinstance(reference, StepRef):
                yield problem.unsupported(f"{where}.{name}", f"Reference '{reference.text}'")
            elif isinstance(reference, ExperimentRef):
                yield problem.bad_expression(f"{where}.{name}", f"{_KEY}.{reference.name}")
