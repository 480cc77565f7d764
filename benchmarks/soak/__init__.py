"""The service at half of what the machine can do, for long: ``python -m benchmarks.soak``."""
