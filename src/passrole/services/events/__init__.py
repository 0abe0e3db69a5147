"""Amazon EventBridge: rules that are evaluated, targets that are delivered to.

Handlers, by resource:
- rules.py, targets.py, buses.py, tags.py: rules, what they lead to, the buses they listen on, tags
- put_events.py: PutEvents, TestEventPattern

What they rest on:
- records.py, rule_targets.py, paging.py, refusals.py: what is kept, and AWS's words; roles.py: roles that
  EventBridge is given
- inputs.py: what a target is given of an event; pure
- deliveries.py, scheduled_runs.py: what waits to be delivered and to run, which worker/ takes from there
- destinations.py: for each kind of target, the call that delivers

Not here: archives and replays, partner sources, API destinations, pipes, buses of other accounts.
"""

from passrole.services.events import buses, put_events, rules, tags, targets

__all__ = ["buses", "put_events", "rules", "tags", "targets"]
