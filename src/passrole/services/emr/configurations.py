"""What the Configurations of a cluster say to its programs. Pure.

    {"Classification": "spark-defaults", "Properties": {"spark.executor.cores": "1"}}
    {"Classification": "spark-env", "Configurations": [
        {"Classification": "export", "Properties": {"PYSPARK_PYTHON": "/usr/bin/python3"}}]}

Every other classification is shown as it was given and has no effect.
https://docs.aws.amazon.com/emr/latest/ReleaseGuide/emr-configure-apps.html
"""

import string
from collections.abc import Mapping, Sequence
from typing import Any

Configurations = Sequence[Mapping[str, Any]]

_EXPORT = "export"
_LEGAL = frozenset(string.ascii_letters + string.digits + "_")


def spark_defaults(configurations: Configurations) -> dict[str, str]:
    """Spark's properties, in place of those that its own files have."""
    return _properties(configurations, "spark-defaults")


def exports(configurations: Configurations, classification: str) -> dict[str, str]:
    """The environment variables of a classification such as `spark-env`, as far as they have legal names."""
    nested = [
        inner
        for each in configurations
        if each.get("Classification") == classification
        for inner in each.get("Configurations") or ()
    ]
    return {name: value for name, value in _properties(nested, _EXPORT).items() if _is_name(name)}


def _properties(configurations: Configurations, classification: str) -> dict[str, str]:
    return {
        str(name): str(value)
        for each in configurations
        if each.get("Classification") == classification
        for name, value in (each.get("Properties") or {}).items()
    }


def _is_name(text: str) -> bool:
    return bool(text) and not text[0].isdigit() and set(text) <= _LEGAL
