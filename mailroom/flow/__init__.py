"""The verbs: intake, delivery, commands. Async; knows the pure rooms and the ports, never an adapter."""
