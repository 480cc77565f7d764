"""What the queue costs: ``python -m benchmarks.queue``."""
