"""Where objects arrive in a job."""

import pytest

from passrole.worker.jobs.inputs import placed
from passrole.worker.jobs.s3 import Address, Listed, address


@pytest.mark.parametrize(
    ("key", "listed", "paths"),
    [
        ("in/", ["in/a", "in/b/c"], ["a", "b/c"]),
        ("in", ["in/a", "in/b/c"], ["a", "b/c"]),
        ("", ["a", "b/c"], ["a", "b/c"]),
        ("code/run.py", ["code/run.py"], ["run.py"]),
        ("code/run.py", ["code/run.py", "code/run.pyc"], ["run.py"]),
        ("train", ["train-2/x", "train/x"], ["train-2/x", "x"]),
        ("in/tr", ["in/train/x", "in/trial"], ["train/x", "trial"]),
        ("in/", ["in/", "in/d/", "in/d/x"], ["d/", "d/x"]),
        ("in/", [], []),
    ],
)
def test_a_prefix_is_cut_off(key: str, listed: list[str], paths: list[str]) -> None:
    found = placed(Address("b", key), [Listed(each, 0) for each in listed])
    assert [each.path for each in found] == paths


@pytest.mark.parametrize("uri", ["", "s3://", "s3:///x", "https://b/x", "b/x"])
def test_what_is_no_address_is_refused(uri: str) -> None:
    with pytest.raises(ValueError, match="is not the address"):
        address(uri)


def test_an_address_below_another() -> None:
    assert str(address("s3://b/in/").below("x")) == "s3://b/in/x"
    assert str(address("s3://b").below("x")) == "s3://b/x"
