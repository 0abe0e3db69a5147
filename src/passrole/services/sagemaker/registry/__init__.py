"""The model registry: groups, and the packages in them, which are approved or rejected.

- a package is a version of a group, or stands alone under a name (records.py, names.py)
- an event tells of each new package and of each decision about one (changes.py)
- groups.py and packages.py have the operations
"""

from passrole.services.sagemaker.registry import groups, packages

__all__ = ["groups", "packages"]
