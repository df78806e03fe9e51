"""The client of Kubeflow Pipelines: submit a run, follow it, list runs, schedule them, and check what they need."""
