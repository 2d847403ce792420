"""A server that speaks the vendors' protocols, with their limits and faults, for tests and for the miniature."""
