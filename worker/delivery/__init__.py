"""Messages on their way: Celery's Redis transport, made to lose nothing and to survive anything it is sent."""
