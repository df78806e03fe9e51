"""The steps of continuous training: data science behind command lines, with no orchestrator in sight."""
