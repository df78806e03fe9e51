"""The names of the tags that Tidegate writes into MLflow."""


class Tag:
    """On runs, registered versions, logged models and entries of the journal; the values are texts."""

    # On the run of a batch.
    BATCH = "tidegate.batch"  # the id of the batch; also on its version and on its entries in the journal
    NAME = "tidegate.name"  # the name of the problem
    CLAIMED = "tidegate.claimed"  # the run of the first claim, so that later steps need not read the claims
    KUBEFLOW_RUN = "tidegate.kubeflow.run"  # the id of the run on Kubeflow
    PLUGIN_RUN = "kfp.pipeline_run_id"  # the same, as Kubeflow's MLflow plugin names it on the run of the pipeline
    UNTIL = "tidegate.until"  # the day on which the batch ends; on a version the moment
    VALIDATION = "tidegate.validation"  # `refused` where the data breaks the contract
    VIOLATIONS = "tidegate.violations"  # their number
    DECISION = "tidegate.decision"  # retrain, keep or cannot tell
    REASONS = "tidegate.reasons"
    ROWS = "tidegate.rows"
    GATE = "tidegate.gate"  # the signals with their limits, and the champion's loss, as JSON
    REQUESTS = "tidegate.requests"  # the id of the window of requests that opened the gate for the batch
    CHAMPION = "tidegate.champion"  # the version that served; after a release the one that serves
    VERDICT = "tidegate.verdict"  # accepted or refused; on versions and entries a summary as JSON
    VERDICT_REASONS = "tidegate.verdict.reasons"
    WINDOW = "tidegate.window"  # the id of a window of requests, on a run that is of no batch
    START = "tidegate.start"  # the moment at which the window begins
    END = "tidegate.end"  # the moment at which it ends
    STARTED = "tidegate.started"  # what began because the window opened the gate
    EXPERIMENT = "tidegate.experiment"  # the name of the DVC experiment
    RESTORED = "tidegate.restored."  # and the id that a run or a model had where it was copied: see `backups`
    PRUNED = "tidegate.pruned"  # the day on which `tidegate prune` removed its pages
    USE = "tidegate.use."  # and the key of a verdict: the window whose rows the verdict used, as JSON

    # On a registered version.
    FORMAT = "tidegate.format"  # the layout of the version; later releases read every format from 1 on
    DATA = "tidegate.data"  # the version of the data, as DVC names it
    COMMIT = "tidegate.commit"
    TRAINED_TO = "tidegate.trained_to"  # the event time of the last training row
    MODEL = "tidegate.model"  # the digest of the model
    DIGEST = "tidegate.digest"  # the digest of all files; also on the logged model and on entries
    FILES = "tidegate.files"  # the SHA-256 of each file, as JSON
    WHEEL = "tidegate.wheel"  # the digest, the run that keeps the file, the file's name
    APPROVAL = "tidegate.approval"  # deploy.approval
    SIGNATURE = "tidegate.signature"  # a public key, and its signature of name, number and tags of the version

    # On an entry of the journal, and on the registered model.
    FROM = "tidegate.from"
    TO = "tidegate.to"
    WHO = "tidegate.who"
    WHEN = "tidegate.when"
    WHY = "tidegate.why"
    KIND = "tidegate.kind"
    RESTORING = "tidegate.restoring"  # the digest of the copy that a restore has begun with, until it is done
    LENGTH = "tidegate.journal"  # how many entries the journal has, so that deleted ones are noticed
