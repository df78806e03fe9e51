"""The trial of a new version on KServe: a canary of an InferenceService, asked, watched, and removed at the end."""
