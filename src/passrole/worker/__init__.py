"""Performs what the engine wants done, through the door, as the role of the execution.

Knows no handlers: whatever satisfies `WorkerDoor` is a door.
"""

from passrole.worker.calls import WorkerDoor
from passrole.worker.loop import Worker

__all__ = ["Worker", "WorkerDoor"]
