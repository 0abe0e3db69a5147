"""passrole's own operations, for what AWS has none; under `/_passrole/` (gateway/own_operations.py).

Each asks for what AWS asks where it shows or gives the same: by calling that operation in the caller's name,
or by the same permission.
"""

from passrole.services.passrole_ import (
    callbacks,
    console,
    job_output,
    packages,
    pipelines,
    roles,
    step_attempts,
    step_cache,
    trail,
)

__all__ = [
    "callbacks",
    "console",
    "job_output",
    "packages",
    "pipelines",
    "roles",
    "step_attempts",
    "step_cache",
    "trail",
]
