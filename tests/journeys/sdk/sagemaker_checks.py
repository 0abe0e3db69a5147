"""What the journeys of checks use of the SageMaker SDK, from the version that is installed."""

from importlib.metadata import version

if version("sagemaker").startswith("2."):
    from version_2_checks import *  # noqa: F403
else:
    from version_3_checks import *  # noqa: F403
