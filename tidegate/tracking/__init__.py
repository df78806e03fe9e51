"""The only door to MLflow: runs of batches, registered versions, and the journal of champions."""
