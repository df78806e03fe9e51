"""Train: features in; a model, its baselines and a record of how they were made out, from history only."""
