"""Drafts: a new problem or contract from data, checks of one file, and the files of a problem as templates."""

from pathlib import Path

# DVC takes every `dvc.yaml` below a problem for one of its own, also that of a package in its environment.
STAGES = Path(__file__).with_name("stages.yaml")
PARAMETERS = Path(__file__).with_name("params.yaml")
CLUSTER = Path(__file__).with_name("cluster.yaml")
