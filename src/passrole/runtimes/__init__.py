"""Runs users' code in processes of its own. It knows no pipelines, no services and no door.

- `Functions`: Lambda functions in warm workers (functions.py)
- the words they share with the services (interface.py)
"""

from passrole.runtimes.functions import Functions

__all__ = ["Functions"]
