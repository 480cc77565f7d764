"""The second way in: requests from a plain Redis stream, for programs that speak no Celery."""
