"""The pipeline and its compilers for Kubeflow and DVC; no data science here."""
