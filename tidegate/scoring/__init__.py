"""How models are scored: tasks, losses, blocks of time, and seeds."""
