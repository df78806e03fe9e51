"""Pull: exactly the data that the text of data.dvc names, and the problem's files, as artifacts for the steps."""
