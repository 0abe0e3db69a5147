"""The instances of a job under the names that its programs see: `algo-1`, `algo-2`, ..."""

from dataclasses import dataclass

NETWORK_INTERFACE = "lo"
_GROUP = "homogeneousCluster"
"""The name of the one group that AWS gives a job without instance groups."""


@dataclass(frozen=True)
class Hosts:
    """A job's instances: how many and of which type."""

    count: int
    instance_type: str

    @property
    def names(self) -> list[str]:
        """`algo-1` to `algo-<count>`."""
        return [f"algo-{number}" for number in range(1, self.count + 1)]

    def training_config(self, current: str) -> dict[str, object]:
        """resourceconfig.json of a training job.

        https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-training-algo-running-container.html
        """
        group = {"instance_group_name": _GROUP, "instance_type": self.instance_type, "hosts": self.names}
        return {
            "current_host": current,
            "current_instance_type": self.instance_type,
            "current_group_name": _GROUP,
            "hosts": self.names,
            "instance_groups": [group],
            "network_interface_name": NETWORK_INTERFACE,
        }

    def processing_config(self, current: str) -> dict[str, object]:
        """resourceconfig.json of a processing job.

        https://docs.aws.amazon.com/sagemaker/latest/dg/build-your-own-processing-container.html
        """
        return {"current_host": current, "hosts": self.names}
