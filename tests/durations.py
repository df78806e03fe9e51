"""Limits of time for what must not hang, in seconds: wide, since a machine may be shared by others."""

SOON = 45  # after a signal; what does not listen to it goes on for 60
HANGING = 240  # less than the time-outs that libraries bring along
