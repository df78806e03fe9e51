"""A contract whose one table has a folder as its source; FOLDER is its place."""

CONTRACT = """\
name: toy
purpose: Will an order come back?
task: binary
event: orders
label: returned
label_delay: 1d
horizon: 6h
block: 1d
tables:
  orders:
    files: orders/*.csv
    time: at
    key: [id]
    source: {files: FOLDER/*.csv}
    columns:
      at: {type: timestamp}
      id: {type: integer}
      back: {type: boolean, role: outcome, nullable: true}
"""
