"""Servers for tests, each on this machine and for the test alone."""

PASSWORD = "pass-of-the-tests"
GIT_TOKEN = "token-of-the-tests"
