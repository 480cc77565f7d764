"""Which messages are fit for a task, by the kept corpus of those that somebody might send."""

import pytest

from tests.hostile import HostileMessage, hostile_messages
from worker.app import TASKS
from worker.delivery.envelope import MalformedMessageError, read

MAX_MESSAGE_BYTES = 2**20


@pytest.mark.parametrize("message", hostile_messages(), ids=lambda each: each.name)
def test_message_is_read_or_refused_as_its_table_says(message: HostileMessage) -> None:
    """What is fit is read; the rest is refused with the reason of the table, and says in words what is wrong."""
    if message.reason is None:
        assert read(message.raw, message.queue, TASKS, max_message_bytes=MAX_MESSAGE_BYTES).headers.id
        return
    with pytest.raises(MalformedMessageError) as refused:
        read(message.raw, message.queue, TASKS, max_message_bytes=MAX_MESSAGE_BYTES)
    assert refused.value.reason == message.reason
    assert 0 < len(refused.value.detail) < 300
