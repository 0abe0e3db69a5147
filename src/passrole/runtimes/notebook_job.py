"""The program of a notebook job: what the SageMaker SDK's NotebookJobStep names, and AWS's images have.

https://docs.aws.amazon.com/sagemaker/latest/dg/notebook-auto-run.html
"""

from collections.abc import Sequence

DRIVER = "amazon_sagemaker_scheduler"


def is_one(words: Sequence[str]) -> bool:
    """Whether a job's command line is the driver's."""
    return list(words[:1]) == [DRIVER]
