"""Which workers stand side by side."""

from pathlib import Path

import pytest

from worker.lanes import lanes
from worker.settings import QUEUES, Settings


def test_admission_has_a_worker_of_its_own(tmp_path: Path) -> None:
    """Its own name and processes, and nothing taken ahead; the others share one and stand back."""
    both = lanes(Settings(home=tmp_path, worker_name="pod", concurrency=4))
    assert [lane.queues for lane in both] == [("sizing", "sizing.batch"), ("admission",)]
    assert [lane.worker_name for lane in both] == ["pod", "pod.admission"]
    assert [lane.concurrency for lane in both] == [4, 1]
    assert both[1].prefetch == 1
    assert both[0].niceness > both[1].niceness


@pytest.mark.parametrize(
    ("queues", "admission_concurrency"), [(("admission",), 1), (("sizing", "sizing.batch"), 1), (QUEUES, 0)]
)
def test_one_worker_is_enough(tmp_path: Path, queues: tuple[str, ...], admission_concurrency: int) -> None:
    """Where only one kind is served, or admission is to have none of its own."""
    settings = Settings(home=tmp_path, queues=queues, admission_concurrency=admission_concurrency)
    assert lanes(settings) == [settings]


def test_every_lane_is_a_setting_that_a_worker_takes(tmp_path: Path) -> None:
    """What is handed to a child by its environment is read back as it was, with the longest name there may be."""
    settings = Settings(home=tmp_path, worker_name="n" * 250, redis_url="redis://127.0.0.1:1/0")  # type: ignore[arg-type]
    for lane in lanes(settings):
        assert Settings.from_environment(lane.environment("redis://127.0.0.1:1/0")) == lane
