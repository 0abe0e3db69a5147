"""CloudWatch Logs: groups, streams and events, kept in the store.

Handlers, by resource:
- groups.py, streams.py: create, delete, describe; retention
- policies.py: what other services may write
- writing.py: PutLogEvents; reading.py: GetLogEvents, FilterLogEvents

What they rest on:
- records.py: the groups and streams that exist; rows.py: the SQL of events
- patterns.py: which messages a filter pattern wants; refusals.py: AWS's words

Not here: tags, subscriptions, metric filters, queries, exports.
"""

from passrole.services.logs import groups, policies, reading, streams, writing

__all__ = ["groups", "policies", "reading", "streams", "writing"]
