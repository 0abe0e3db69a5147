"""The ARN of an execution, read once."""

import pytest

from passrole.arns import ExecutionArn, InvalidPart

ARN = "arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p/execution/abc"


def test_its_parts() -> None:
    arn = ExecutionArn(ARN)
    assert (arn.region, arn.account, arn.execution_id) == ("eu-west-1", "111122223333", "abc")
    assert (arn.pipeline, arn) == ("arn:aws:sagemaker:eu-west-1:111122223333:pipeline/p", ARN)


@pytest.mark.parametrize("text", ["", "abc", ARN.replace("/execution/", "/"), ARN + ":x"])
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidPart):
        ExecutionArn(text)
