"""How fast Mailroom is, how much memory it takes, and what that compares to; docs/performance.md holds the figures.

    python -m benchmarks.pipeline     mails through the whole service, beside a bare loop of the same primitives
    python -m benchmarks.startup      how long whole processes take: the daemon until it is ready, `explain`
    python -m benchmarks.records      the records with many cases: a page, a follow-up, counts of a month

Each takes `--json`. They use the servers, keys and furnished services of tests/.
"""
