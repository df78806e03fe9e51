"""The pipeline that predicts new rows with the champion, once or on a schedule; it trains nothing."""

from kfp import dsl

from tidegate.pipelines import steps


@dsl.pipeline(name="tidegate-predicting", description="Batch prediction with the champion")
def predicting(
    name: str,
    source: str,
    target: str,
    tables: str,
    version: str = "",
    unknown: str = "accept",
    skip_bad: bool = False,
    sign: str = "",
) -> None:
    """Predict the rows at `source` with the champion of `name`, or another version, into a file below `target`."""
    predict = steps.predict(
        name=name,
        version=version,
        source=source,
        target=target,
        tables=tables,
        unknown=unknown,
        skip_bad=skip_bad,
        sign=sign,
        # The moment of the run, not that of an attempt: a retry replaces its own file.
        moment=dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER,
    )
    # The result depends on the champion and on files that are not part of a cache key.
    predict.set_caching_options(False)
