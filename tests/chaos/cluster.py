"""The cluster: nodes on hosts of their own over one database, and S3 beside them."""

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

from tests.chaos import machine
from tests.chaos.caller import Caller
from tests.chaos.database import Pair
from tests.chaos.machine import HUB, Host
from tests.chaos.node import Node, clock_library
from tests.chaos.told import Told

DISK_MEGABYTES = 96
_S3_PORT = 9000


class Cluster:
    """All that runs. Whoever stops a part of it starts it again."""

    def __init__(self, folder: Path, nodes: int) -> None:
        """Started, and each node answers."""
        machine.prepare()
        shared = folder / "shared"
        shared.mkdir()
        self.notes = shared / "notes"
        self.database = Pair(folder)
        self._s3 = Node("s3", folder / "s3", HUB, {"log_calls": "false"}, "--only", "s3", port=_S3_PORT)
        self._s3.start()
        settings = {
            "store": self.database.url,
            "s3_endpoint": self._s3.url,
            "s3_access_key_id": self._s3.access["access_key_id"],
            "s3_secret_access_key": self._s3.access["secret_access_key"],
            "shared_paths": str(shared),
            "lambda_workers_max": "8",
            "containers": "none",
        }
        self._clock_library = clock_library(folder)
        self.nodes = [self._node(folder, number, settings) for number in range(1, nodes + 1)]

    def caller(self, told: Told) -> Caller:
        """The administrator, at every node."""
        return Caller([node.url for node in self.nodes], self.nodes[0].access, told)

    def audited(self) -> set[str]:
        """The request ids of all calls that the nodes' audit trails have."""
        files = [file for node in self.nodes for file in node.data.glob("audit.jsonl*")]
        return {json.loads(line)["request_id"] for file in files for line in file.open()}

    def stop(self) -> list[str]:
        """What did not end as it should."""
        codes = {node.name: node.stop() for node in self.nodes}
        self._s3.stop()
        self.database.stop()
        return [
            f"{name} ended with the code {code} when it was told to stop"
            for name, code in codes.items()
            if code
        ]

    def _node(self, folder: Path, number: int, settings: dict[str, str]) -> Node:
        host = Host(number)
        data = folder / host.name
        machine.small_disk(data, DISK_MEGABYTES)
        node = Node(host.name, data, host.address, settings, host=host, clock_library=self._clock_library)
        node.start()
        return node


@contextlib.contextmanager
def cluster(folder: Path, nodes: int) -> Iterator[Cluster]:
    """It runs for the block."""
    began = time.monotonic()
    made = Cluster(folder, nodes)
    print(
        f"{nodes} nodes, a primary, a standby and S3 answer after {time.monotonic() - began:.0f} s",
        flush=True,
    )
    yield made
