"""Queues: callers wait, in order, for an agent who is free and has the skills asked for."""
