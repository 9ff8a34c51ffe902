"""The garbage collector: what lives as long as the process is no work of its."""

import gc


def spare_opened() -> None:
    """Let the collector pass over all that there is now. Call it once everything is open.

    A full collection stops the event loop, for as long as there are objects to look at: modules and settings are most.
    """
    gc.collect()
    gc.freeze()
