"""A function as a job of its own: what it returns, and what it raises, arrives where it was called."""

from sagemaker_sdk import PipelineSession, get_execution_role, remote


@remote(
    role=get_execution_role(PipelineSession()),
    instance_type="ml.m5.large",
    image_uri="123456789012.dkr.ecr.us-east-1.amazonaws.com/any:1",
)
def double(number):
    if number < 0:
        raise ValueError("negative")
    return 2 * number


assert double(21) == 42
try:
    double(-1)
except ValueError as error:
    assert str(error) == "negative"
else:
    raise AssertionError("nothing was raised")
