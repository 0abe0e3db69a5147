-- Messages of FIFO queues by age: one that expires must let go of those behind it, also while it is in flight.
CREATE INDEX messages_fifo_sent ON messages (queue, sent) WHERE group_id IS NOT NULL;
