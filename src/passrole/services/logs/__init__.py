"""CloudWatch Logs: groups, streams and events, kept in the store.

Handlers, by resource:
- groups.py, streams.py: create, delete, describe; retention
- policies.py: what other services may write
- put_log_events.py: PutLogEvents; get_log_events.py: GetLogEvents, FilterLogEvents

What they rest on:
- records.py: the groups and streams that exist; rows.py: the SQL of events
- retention.py: deletes what has expired, called by the worker
- patterns.py: which messages a filter pattern wants; refusals.py: AWS's words

Not here: tags, subscriptions, metric filters, queries, exports.
"""

from passrole.services.logs import get_log_events, groups, policies, put_log_events, streams

__all__ = ["get_log_events", "groups", "policies", "put_log_events", "streams"]
