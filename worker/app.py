"""The Celery app: its queues, its routes, and every setting with its reason."""

from celery import Celery
from kombu import Exchange, Queue

from . import recycling
from .connection import CONNECT_TIMEOUT_SECONDS, SOCKET_TIMEOUT_SECONDS, tls_options
from .delivery.signature import Signer
from .delivery.transport import Refuse
from .settings import QUEUES, Settings

SIZE = "weighbridge.size"
SIZE_MANY = "weighbridge.size_many"
HEARTBEAT = "weighbridge.heartbeat"
ANSWERED = (SIZE, SIZE_MANY)
"""The tasks that somebody waits for an answer of."""
TASKS = (*ANSWERED, HEARTBEAT)

SIZING, BATCH, ADMISSION = QUEUES

ROUTES = {SIZE: SIZING, SIZE_MANY: BATCH}
"""The queue of a task whose sender names none."""

HEALTH_QUEUE_EXPIRES_SECONDS = 3600


def health_queue(worker_name: str) -> Queue:
    """The queue of one worker alone: a check proves that worker, and waits behind no backlog."""
    return _queue(f"health.{worker_name}", expires=HEALTH_QUEUE_EXPIRES_SECONDS)


def create_app(settings: Settings, url: str, refuse: Refuse | None = None) -> Celery:
    """A Celery app on the server at ``url``; nothing is connected until it is used.

    A worker needs ``refuse``, which deals with what cannot be given to a task.
    """
    app = Celery("weighbridge", broker=url, set_as_current=False)
    key = settings.signing_key
    app.conf.update(
        # JSON only: a pickled message would run code of whoever may publish.
        task_serializer="json",
        accept_content=["json"],
        # Answers leave on the results stream; the result backend costs a third more for the same.
        result_backend=None,
        task_ignore_result=True,
        # A message is acknowledged after its answers are published, so a killed worker leaves it to another.
        task_acks_late=True,
        # Late acknowledgement alone does not bring back what a killed pool process held.
        task_reject_on_worker_lost=True,
        # A pool process that went is waited for no longer than this; had it answered, answering again is
        # harmless. The default of 10 s would let the time limit, which answers an error, come first.
        worker_lost_wait=1.0,
        # A request that kills its process is tried three times in all, then answered as an error.  At once: a delay
        # would be a time of day, which is another on the next machine.
        task_retry_on_worker_lost=True,
        task_annotations={"*": {"max_retries": 2, "default_retry_delay": 0}},
        # Requests take milliseconds: a few in hand keep a process busy; more would only widen the next bound.
        worker_prefetch_multiplier=settings.prefetch,
        # One request must not hold a process for ever; the settings check both against the visibility
        # timeout.
        task_soft_time_limit=settings.soft_time_limit_seconds,
        task_time_limit=settings.hard_time_limit_seconds,
        # Memory that the rule engine's C library may leak is given back now and then.
        worker_max_tasks_per_child=recycling.MAX_REQUESTS,
        worker_max_memory_per_child=recycling.MAX_MEMORY_KIB,
        # Building the rules in a new process takes longer on a busy machine than the 4 s it gets by default.
        worker_proc_alive_timeout=60.0,
        # worker.process bounds the shutdown itself: Celery's own way sleeps it out even when nothing runs any
        # more.
        worker_soft_shutdown_timeout=0.0,
        worker_enable_soft_shutdown_on_idle=False,
        # Cancelling at a reconnect makes a task wait for the visibility timeout to be run again.
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # Whoever may publish could otherwise shut workers down.
        worker_enable_remote_control=False,
        # Nobody listens to Celery's own events.
        worker_send_task_events=False,
        task_send_sent_event=False,
        # A worker waits for its server as long as it takes; a client gives up after a second try.
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_publish_retry_policy={
            "max_retries": 1,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
        },
        # Verified, whatever the address says of it.
        broker_use_ssl=tls_options(url),
        # Celery's own, with a ledger, an intake that can close, and a guard against what is no message of its kind.
        broker_transport="worker.delivery.transport:Transport",
        broker_transport_options={
            # Of no use to the transport; but connections are shared between apps whose options are the same.
            "tls": tls_options(url),
            "tasks": TASKS,
            "refuse": refuse,
            "signer": Signer(key.get_secret_value().encode()) if key else None,
            "max_message_bytes": settings.max_message_bytes,
            "max_deliveries": settings.max_deliveries,
            "queue_high_water": settings.queue_high_water,
            "intake_memory_fraction": settings.intake_memory_fraction,
            "retry_after_seconds": settings.retry_after_seconds,
            "global_keyprefix": settings.key_prefix,
            "visibility_timeout": settings.visibility_timeout_seconds,
            # The default looks for lost messages every 100 s whatever the visibility timeout is.
            "unacked_restore_interval": max(1, settings.visibility_timeout_seconds // 18),
            # A frozen server would block a publisher for ever.
            "socket_timeout": SOCKET_TIMEOUT_SECONDS,
            "socket_connect_timeout": CONNECT_TIMEOUT_SECONDS,
            "socket_keepalive": True,
            "health_check_interval": 15,
        },
        # Its own queue for each way in: one waiting request must not stand behind a catalogue of them.
        task_queues=[_queue(name) for name in QUEUES],
        task_default_queue=SIZING,
        task_default_exchange="",
        task_routes={task: {"queue": queue} for task, queue in ROUTES.items()},
        worker_redirect_stdouts=False,
    )
    return app


def _queue(name: str, expires: float | None = None) -> Queue:
    # Reached by its name alone: with no exchange there is no binding to write, and a worker can start, and
    # drain the queue, on a server that is full.
    return Queue(name, Exchange(""), routing_key=name, expires=expires)
