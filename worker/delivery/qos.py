"""Who holds which message: noted in one step by the clock of the server, and struck out of the ledger when done with.

Celery's own note is made by the clock of each worker: one that is ahead takes from the others what they have in hand.
"""

from typing import Any

from kombu.transport import redis
from kombu.utils.encoding import bytes_to_str
from kombu.utils.json import dumps
from redis.exceptions import OutOfMemoryError

from ..keys import Keys
from .ledger import STRIKE_OUT

HOLD = """
-- KEYS: messages held, since when   ARGV: delivery tag, message
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('ZADD', KEYS[2], redis.call('TIME')[1], ARGV[1])
"""

LAPSED = """
-- KEYS: since when messages are held   ARGV: seconds they may be, most to tell of
return redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', redis.call('TIME')[1] - ARGV[1], 'LIMIT', 0, ARGV[2])
"""

RESTORED = 100
"""Messages that are given back at a time."""


class QoS(redis.QoS):  # type: ignore[misc]  # kombu has no types
    """The messages that one worker holds."""

    def append(self, message: Any, delivery_tag: str) -> None:  # noqa: ANN401 - a message of kombu's
        """The message is ours; where the server has no room to note it, the ledger has it still."""
        info = message.delivery_info
        held = dumps([message._raw, info["exchange"], info["routing_key"]])  # noqa: SLF001 - kombu's own way
        try:
            with self.channel.conn_or_acquire() as client:
                client.eval(HOLD, 2, self._keys.unacked, self._keys.unacked_index, delivery_tag, held)
        except OutOfMemoryError:
            pass
        # Not redis.QoS: what it would note is noted.
        super(redis.QoS, self).append(message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """The message is dealt with."""
        keys = self._keys
        named = (keys.ledger, keys.ledger_messages, keys.unacked, keys.unacked_index)
        with self.channel.conn_or_acquire() as client:
            client.eval(STRIKE_OUT, len(named), *named, delivery_tag)
        super(redis.QoS, self).ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:  # noqa: FBT001, FBT002 - kombu's signature
        """The message goes back to its queue, or is dealt with."""
        if not requeue:
            self.ack(delivery_tag)
            return
        try:
            super().reject(delivery_tag, requeue=True)
        except OutOfMemoryError:
            # Where there is no room to put it back it stays noted as held, and is given to another when that lapses.
            super(redis.QoS, self).ack(delivery_tag)

    def restore_visible(self, *_: Any, **__: Any) -> None:  # noqa: ANN401 - bounds of kombu's own sweep
        """Gives what lost workers held to others, and counts that it did."""
        with self.channel.conn_or_acquire() as client:
            lapsed = client.eval(LAPSED, 1, self._keys.unacked_index, self.visibility_timeout, RESTORED)
            self.channel.counts_deliveries = True
            try:
                for tag in lapsed:
                    self.restore_by_tag(bytes_to_str(tag), client)
            except OutOfMemoryError:
                pass  # the next round comes
            finally:
                self.channel.counts_deliveries = False

    @property
    def _keys(self) -> Keys:
        return Keys(prefix=self.channel.global_keyprefix)
