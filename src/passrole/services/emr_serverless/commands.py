"""What a job driver means on this machine: spark-submit's arguments, and the driver's variables. Pure.

https://docs.aws.amazon.com/emr/latest/EMR-Serverless-UserGuide/jobs-spark.html
"""

import shlex
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

DRIVER_VARIABLE = "spark.emr-serverless.driverEnv."
"""How the properties of Spark that are environment variables of the driver begin."""

_CONF = ("--conf", "-c")


def spark_submit(driver: Mapping[str, Any]) -> list[str]:
    """The arguments of spark-submit. Raises ValueError where the parameters have an open quotation."""
    given = driver["sparkSubmit"]
    parameters = shlex.split(given.get("sparkSubmitParameters", ""))
    return [*parameters, given["entryPoint"], *given.get("entryPointArguments", ())]


def settings(configurations: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Configurations in the spelling that EMR's clusters have: `Classification`, `Properties`."""
    return [
        {
            "Classification": each["classification"],
            "Properties": each.get("properties") or {},
            "Configurations": settings(each.get("configurations") or ()),
        }
        for each in configurations
    ]


def driver_variables(defaults: Mapping[str, str], parameters: Sequence[str]) -> dict[str, str]:
    """The environment variables of the driver, as Spark's defaults and `--conf` set them."""
    pairs = [value.partition("=")[::2] for option, value in pairwise(parameters) if option in _CONF]
    given = {**defaults, **dict(pairs)}
    return {
        name.removeprefix(DRIVER_VARIABLE): value
        for name, value in given.items()
        if name.startswith(DRIVER_VARIABLE)
    }
