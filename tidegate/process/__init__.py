"""The execution of a step: command line, errors, signals, retries, time-outs and environment."""
