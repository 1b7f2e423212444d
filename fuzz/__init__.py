"""Fuzzing: see fuzz/README.md."""
