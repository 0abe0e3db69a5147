"""What the journeys use of the SageMaker SDK, from the version that is installed."""

from importlib.metadata import version

if version("sagemaker").startswith("2."):
    from version_2 import *  # noqa: F403
else:
    from version_3 import *  # noqa: F403
