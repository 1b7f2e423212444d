"""Mailroom: a confidential reporting and referral service that runs by e-mail."""

__version__ = "0.1.0"
