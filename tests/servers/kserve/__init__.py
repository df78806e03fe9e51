"""A KServe for tests: the API of Kubernetes for InferenceServices, what KServe makes of them, and the way to them."""
