"""Amazon SQS: durable queues in the store.

Handlers, by what they are about:
- queues.py, settings.py, tags.py, permissions.py: the queues themselves, their attributes, tags and policies
- send_message.py, receive_message.py, delete_message.py, message_visibility.py: messages, also in batches

What they rest on:
- records.py: which queue a call means; rows.py: the SQL of messages
- message_selection.py: which messages a receive gets; receipts.py: which message a receipt handle means
- fifo.py: order and deduplication; redrive.py: dead-letter queues; batches.py: ten entries at a time
- attributes.py, content.py, digests.py, envelope.py, refusals.py: tables and rules without I/O
- depths.py: how many messages queues have, for their attributes and for Prometheus
- retention.py: deletes what has expired, called by the worker; corrects times at a start

Not here: moving dead letters back (StartMessageMoveTask), the limit of 120,000 in flight.
"""

from passrole.services.sqs import (
    delete_message,
    message_visibility,
    permissions,
    queues,
    receive_message,
    send_message,
    settings,
    tags,
)
from passrole.services.sqs.depths import depths
from passrole.services.sqs.retention import correct_future_times, sweep

__all__ = [
    "correct_future_times",
    "delete_message",
    "depths",
    "message_visibility",
    "permissions",
    "queues",
    "receive_message",
    "send_message",
    "settings",
    "sweep",
    "tags",
]
