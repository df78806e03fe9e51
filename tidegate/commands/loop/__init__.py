"""The loop on this machine: run a turn, see where things stand, collect data."""
