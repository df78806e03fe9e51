"""Drafts: a new problem or contract from data, checks of one file, and the files of a problem as templates."""

from pathlib import Path

# Not named dvc.yaml: DVC would read it as a stage file wherever the package lies below a problem.
STAGES = Path(__file__).with_name("stages.yaml")
PARAMETERS = Path(__file__).with_name("params.yaml")
PLOTS = Path(__file__).with_name("plots.html")  # the page of `dvc plots show`, with the library that draws
CLUSTER = Path(__file__).with_name("cluster.yaml")
