"""Real mail servers on loopback, for tests."""
