"""The experiment and trial of an execution: PipelineExperimentConfig and MlflowConfig.

They do not change how steps run; DescribePipelineExecution returns the names, and steps may refer to those of
PipelineExperimentConfig. The SDK emits both, although the published schema forbids them.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from passrole.definition import problems as problem
from passrole.definition.expressions import (
    EXPERIMENT_NAMES,
    ExperimentRef,
    Expression,
    ItemRef,
    StepRef,
    VariableRef,
    json_gets,
    references,
)
from passrole.definition.node import Node
from passrole.definition.problems import Problem

Experiment: TypeAlias = Mapping[str, Expression]
"""ExperimentName and TrialName; empty if the definition disables them with null."""

Mlflow: TypeAlias = Mapping[str, Expression]
"""MlflowResourceArn and MlflowExperimentName, if the definition has them."""

_KEY = "PipelineExperimentConfig"
_MLFLOW_NAMES = ("MlflowResourceArn", "MlflowExperimentName")
_DEFAULT: Experiment = {
    "ExperimentName": VariableRef("PipelineName"),
    "TrialName": VariableRef("PipelineExecutionId"),
}


def read_experiment(root: Node) -> Experiment:
    """Read PipelineExperimentConfig: null means no experiment, absent means the SDK's default."""
    if not root.has(_KEY):
        return _DEFAULT
    node = root.object(_KEY, required=False)
    if node is None:
        return {}
    names = _read_names(node, EXPERIMENT_NAMES)
    node.close()
    return names


def read_mlflow(root: Node) -> Mlflow:
    """Read MlflowConfig; the SDK writes null if it is not set."""
    node = root.object("MlflowConfig", required=False)
    return _read_names(node, _MLFLOW_NAMES) if node else {}


def _read_names(node: Node, keys: Sequence[str]) -> Mapping[str, Expression]:
    names = {key: node.expression(key, required=False) for key in keys if node.has(key)}
    node.found.extend(_too_early(names, node.where))
    return names


def _too_early(names: Mapping[str, Expression], where: str) -> Iterator[Problem]:
    for name, expression in names.items():
        if any(json_gets(expression)):
            yield problem.unsupported(f"{where}.{name}", "Function 'Std:JsonGet'")
        for reference in references(expression):
            if isinstance(reference, StepRef | ItemRef):
                yield problem.unsupported(f"{where}.{name}", f"Reference '{reference.text}'")
            elif isinstance(reference, ExperimentRef):
                yield problem.bad_expression(f"{where}.{name}", f"PipelineExperimentConfig.{reference.name}")
