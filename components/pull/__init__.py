"""Pull: fetches the version of the data in data.dvc, and writes the problem's files as artifacts."""
