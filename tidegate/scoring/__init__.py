"""Scoring of models: tasks, losses, metrics, blocks of time, and seeds."""
