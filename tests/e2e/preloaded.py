"""Imported by the server that tests fork processes from, and by nothing else: all that they use, once."""

import gc

import mailroom.cli.app
import mailroom.cli.case
import mailroom.cli.explain
import mailroom.cli.run
import mailroom.preloaded
import tests.e2e.crashing
import tests.e2e.killers
import tests.e2e.warm
from mailroom.guide import guide_from
from mailroom.records import schema
from mailroom.share import share_path

__all__ = ["mailroom", "tests"]

# What these make is thrown away; what libraries load and remember for them stays.
guide_from(share_path("rules"), share_path("templates"))
schema.upgrade("sqlite+aiosqlite:///:memory:")
gc.collect()
gc.freeze()  # what is here stays shared: the garbage collector of a child writes into no page of it
