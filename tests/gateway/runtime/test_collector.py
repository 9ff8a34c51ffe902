"""Tests that the garbage collector passes over what lives as long as the process."""

import gc

from gateway.runtime.collector import spare_opened


def test_what_is_open_is_no_work_of_the_collector() -> None:
    before = len(gc.get_objects())
    try:
        spare_opened()
        assert len(gc.get_objects()) < before / 10
    finally:
        gc.unfreeze()
