"""The pipelines that are run: a chain, a fan-out, an approval. As JSON text, the way the API takes them."""

import json
from typing import Any

Step = dict[str, Any]


def chain(function: str, length: int) -> str:
    """Lambda steps one after another."""
    return text([_lambda(function, n, [f"S{n - 1}"] if n else []) for n in range(length)])


def fan_out(function: str, width: int) -> str:
    """Lambda steps all at once."""
    return text([_lambda(function, n, []) for n in range(width)])


def loop(function: str, items: int, at_once: int = 50) -> str:
    """A ForEach step over a Lambda step."""
    body = {**_lambda(function, 0, []), "Arguments": {"n": {"Get": "ForEach.CurrentItem"}}}
    over = list(range(items))
    arguments = {"IterableItems": over, "MaxConcurrency": at_once, "ForEachBody": [body]}
    return text([{"Name": "Each", "Type": "ForEach", "Arguments": arguments}])


def approval(queue_url: str, function: str | None = None) -> str:
    """A Callback step, and a Lambda step `Next` behind it where a function is given; it returns `at`."""
    ask = {"Name": "Ask", "Type": "Callback", "SqsQueueUrl": queue_url, "Arguments": {}}
    if function is None:
        return text([ask])
    outputs = [{"OutputName": "at", "OutputType": "String"}]
    behind = {"Name": "Next", "Type": "Lambda", "FunctionArn": function, "DependsOn": ["Ask"]}
    return text([ask, {**behind, "Arguments": {}, "OutputParameters": outputs}])


def instant(function: str) -> str:
    """One Lambda step with the output `at`."""
    outputs = [{"OutputName": "at", "OutputType": "String"}]
    return text([{**_lambda(function, 0, []), "OutputParameters": outputs}])


def text(steps: list[Step]) -> str:
    """The definition of these steps."""
    return json.dumps({"Version": "2020-12-01", "Steps": steps})


def _lambda(function: str, number: int, needed: list[str]) -> Step:
    step = {"Name": f"S{number}", "Type": "Lambda", "FunctionArn": function, "Arguments": {"n": number}}
    return {**step, "DependsOn": needed} if needed else step
