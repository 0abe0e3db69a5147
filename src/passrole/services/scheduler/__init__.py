"""Amazon EventBridge Scheduler: schedules in groups, each of which invokes one target as its role.

Handlers, by resource:
- schedules.py, groups.py, tags.py: schedules, their groups, the tags of groups

What they rest on:
- records.py, paging.py, refusals.py: what is kept, and AWS's words; roles.py: the roles of targets
- timing.py: when a schedule is due; targets.py, universal.py: the call that a target means; all pure
- runs.py, invocations.py: what waits to run and to be invoked, which worker/ takes from there

Not here: targets of services that are not here, keys of KMS.
"""

from passrole.services.scheduler import groups, schedules, tags

__all__ = ["groups", "schedules", "tags"]
