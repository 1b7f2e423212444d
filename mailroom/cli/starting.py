"""Starting quickly: most of the time of a short command is loading."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from mailroom.triage import language


@contextmanager
def lasting() -> Iterator[None]:
    """Make things that stay: to look for garbage among them again and again would take a tenth of the time."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def language_loading() -> Iterator[None]:
    """Load the language model meanwhile: most of that is decompression, which another core can do."""
    interval, loading = sys.getswitchinterval(), Thread(target=language.load_model)
    sys.setswitchinterval(interval / 50)  # else it waits for its turn longer than it works, block after block
    loading.start()
    try:
        yield
    finally:
        loading.join()
        sys.setswitchinterval(interval)
