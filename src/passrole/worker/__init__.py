"""Performs what the engine wants done, through the door, as the role of the execution.

Knows no handlers: whatever satisfies `CallOperation` is a door.
"""

from passrole.worker.loop import Worker

__all__ = ["Worker"]
