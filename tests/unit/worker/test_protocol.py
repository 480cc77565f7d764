"""What docs/protocol.md says of keys and messages."""

import json
import re
from pathlib import Path
from typing import get_args

from schemas.vocabulary import ErrorCode
from worker.app import TASKS
from worker.delivery.envelope import arguments, read
from worker.keys import Keys

PROTOCOL = (Path(__file__).parents[3] / "docs" / "protocol.md").read_text(encoding="utf-8")


def test_the_message_shown_is_taken() -> None:
    """A message with no other fields than those is given to its task."""
    block = re.search(r"```json\n(.+?)```", PROTOCOL, re.DOTALL)
    assert block is not None
    envelope = read(json.dumps(json.loads(block[1])).encode(), "sizing", TASKS, max_message_bytes=4096)
    assert arguments(envelope)[1] == {"request": {"model": {"name": "Qwen/Qwen3-8B"}}}


def test_every_key_of_the_contract_and_every_code_is_told() -> None:
    """The page names the keys as they are, and leaves out no error."""
    keys = Keys(prefix="weighbridge:")
    names = [keys.requests, keys.results, keys.bell, keys.intake, keys.dead]
    names += [keys.done("<request_id>"), keys.reply("<request_id>")]
    assert [name for name in (*names, *get_args(ErrorCode)) if f"`{name}`" not in PROTOCOL] == []
