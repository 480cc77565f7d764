"""Rule engines on the project's own rules, in one run: ``python -m benchmarks.rules``."""
