from typing import Any

import pytest

from passrole.definition.expressions import Json
from passrole.definition.properties import NamedList, Path, Properties

PROPERTIES = Properties(
    ("Outer", "Metrics", "Tags"),
    (NamedList(("Outer", "Outputs"), "OutputName"), NamedList(("Metrics",), "MetricName", False)),
)
DESCRIPTION: Any = {
    "Outer": {"Outputs": [{"OutputName": "a", "Uri": "s3://a"}, {"OutputName": "b", "Uri": None}]},
    "Metrics": [{"MetricName": "val:acc", "Value": 0.5}, "odd"],
    "Tags": [["x"], {"Key": "k"}],
    "Values": {"0": "zero"},
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (("Outer", "Outputs", "a", "Uri"), "s3://a"),
        (("Outer", "Outputs", 0, "Uri"), "s3://a"),
        (("Outer", "Outputs", 1), {"OutputName": "b", "Uri": None}),
        (("Outer", "Outputs", "b", "Uri"), None),
        (("Outer", "Outputs", "c", "Uri"), None),
        (("Outer", "Outputs", 2, "Uri"), None),
        (("Metrics", "val:acc", "Value"), 0.5),
        (("Metrics", "val:acc", "Value", "x"), None),
        (("Tags", "k"), None),
        (("Tags", 0, 0), "x"),
        (("Values", "0"), "zero"),
        (("Values", 0), None),
        (("None", "x"), None),
    ],
)
def test_an_element_is_selected_by_its_index_or_its_name(path: Path, expected: Json) -> None:
    assert PROPERTIES.at(DESCRIPTION, path) == expected
