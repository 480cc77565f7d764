"""A whole catalogue through the queue and by local processes, beside peers."""
