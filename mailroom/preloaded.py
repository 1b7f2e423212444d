"""Imported by the server that worker processes are forked from, and by nothing else: what all of them need, once."""

import gc
import os

import mailroom.worker
from mailroom.triage.language import load_model

__all__ = ["mailroom"]

# A signal to the group of the daemon is for the daemon, not for this server nor for a worker that starts.
os.setpgrp()
load_model()
# What is here stays shared: the garbage collector of a worker writes into no page of it.
gc.collect()
gc.freeze()
