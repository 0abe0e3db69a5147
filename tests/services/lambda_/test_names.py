"""Every way to name a function, and what is none."""

from types import SimpleNamespace
from typing import Any

import pytest

from passrole.arns import Account, Region
from passrole.faults import Fault
from passrole.services.lambda_ import names
from passrole.services.lambda_.names import Named

HERE: Any = SimpleNamespace(
    region=Region("us-east-1"), account=Account("111122223333"), key=lambda name: f"key of {name}"
)
ELSEWHERE = "arn:aws:lambda:eu-west-1:999999999999:function"

MEANT = [
    # FunctionName                      Qualifier   region       account         name   qualifier
    ("f",                               None,       "us-east-1", "111122223333", "f",   None),
    ("f-_9:$LATEST",                    None,       "us-east-1", "111122223333", "f-_9", "$LATEST"),
    ("f",                               "7",        "us-east-1", "111122223333", "f",   "7"),
    ("f:7",                             "7",        "us-east-1", "111122223333", "f",   "7"),
    ("function",                        None,       "us-east-1", "111122223333", "function", None),
    ("function:f",                      None,       "us-east-1", "111122223333", "f",   None),
    ("999999999999:function:f",         None,       "us-east-1", "999999999999", "f",   None),
    ("999999999999:function:f:live",    None,       "us-east-1", "999999999999", "f",   "live"),
    (f"{ELSEWHERE}:f",                  None,       "eu-west-1", "999999999999", "f",   None),
    (f"{ELSEWHERE}:f:live",             None,       "eu-west-1", "999999999999", "f",   "live"),
]  # fmt: skip

NONSENSE = [
    "",
    "a b",
    "f:1:2",
    f"{ELSEWHERE}:",
    "arn:aws:sqs:us-east-1:111122223333:q",
    "../f",
    "f/../g",
    "é",
]


@pytest.mark.parametrize("text, given, region, account, name, qualifier", MEANT)
def test_a_name_means_one_function(
    text: str, given: str | None, region: str, account: str, name: str, qualifier: str | None
) -> None:
    assert names.parse(HERE, text, given) == Named(Region(region), Account(account), name, qualifier)


@pytest.mark.parametrize("text", NONSENSE)
def test_what_is_no_name_is_refused(text: str) -> None:
    with pytest.raises(Fault, match="functionName"):
        names.parse(HERE, text)


def test_only_the_latest_version_is_here() -> None:
    assert names.latest_key(HERE, names.parse(HERE, "f:$LATEST")) == "key of f"
    with pytest.raises(Fault, match="Function not found: arn:aws:lambda:us-east-1:111122223333:function:f:7"):
        names.latest_key(HERE, names.parse(HERE, "f", "7"))


def test_the_qualifier_is_part_of_what_is_authorised() -> None:
    arn = names.arn_of(HERE, {"function_name": "f", "qualifier": "live"})
    assert arn == "arn:aws:lambda:us-east-1:111122223333:function:f:live"
