"""What runs the steps: Kubeflow, DVC and the command line, with no data science in sight."""
