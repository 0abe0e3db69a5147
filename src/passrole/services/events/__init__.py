"""Amazon EventBridge: rules that are evaluated, targets that are delivered to.

Handlers, by resource:
- rules.py, targets.py, buses.py, tags.py: rules, what they lead to, the buses they listen on, tags
- publishing.py: PutEvents, TestEventPattern

What they rest on:
- records.py, paging.py, refusals.py: what is kept, and AWS's words; roles.py: roles that EventBridge is given
- inputs.py: what a target is given of an event; schedules.py: rate and cron; both pure
- delivering.py: events matched and delivered, in the background; scheduling.py: scheduled rules
- destinations.py: for each kind of target, the call that delivers

Not here: archives and replays, partner sources, API destinations, pipes, buses of other accounts.
"""

from passrole.services.events import buses, publishing, rules, tags, targets
from passrole.services.events.delivering import Deliveries
from passrole.services.events.scheduling import Schedules

__all__ = ["Deliveries", "Schedules", "buses", "publishing", "rules", "tags", "targets"]
