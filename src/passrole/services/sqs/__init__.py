"""Amazon SQS: durable queues in the store.

Handlers, by resource:
- queues.py, settings.py, tags.py, permissions.py: the queues themselves, their attributes, tags and policies
- sending.py, receiving.py, settling.py: a message comes, is received, is deleted or given back

What they rest on:
- records.py: which queue a call means; rows.py: the SQL of messages; picking.py: which ones a receive gets
- fifo.py: order and deduplication; redrive.py: dead letters; batches.py: ten at a time
- attributes.py, content.py, digests.py, envelope.py, receipts.py, refusals.py: tables and rules without I/O
- retention.py: what is over, for the worker to sweep; what a start puts right

Not here: moving dead letters back (StartMessageMoveTask), KMS, the limit of 120,000 in flight.
"""

from passrole.services.sqs import permissions, queues, receiving, sending, settings, settling, tags
from passrole.services.sqs.retention import put_right, sweep

__all__ = [
    "permissions",
    "put_right",
    "queues",
    "receiving",
    "sending",
    "settings",
    "settling",
    "sweep",
    "tags",
]
