"""The pipeline, written once: `tidegate compile` gives it to Kubeflow, `tidegate render` gives it to DVC."""

from kfp import dsl

from tidegate.pipelines import steps


@dsl.pipeline(name="tidegate-training", description="Continuous training, gated by drift")
def training(
    pull_data_dvc: str,
    pull_contract_yaml: str,
    pull_features_sql: str,
    pull_model_yaml: str,
    pull_remote: str,
    collect_fetch: bool,
    collect_repository: str,
    collect_commit: str,
    ingest_until: str,
    ingest_batch_days: int,
    validate_max_bad_share: float,
    train_window_days: int,
    gate_mode: str,
    gate_off: str,
    gate_sample_rows: int,
    gate_minimum_rows: int,
    gate_false_alarm_rate: float,
    gate_minimum_effect: float,
    gate_prediction_drift: float,
    gate_label_drift: float,
    gate_decay: float,
    gate_max_age_days: int,
    gate_cooldown_days: int,
    gate_max_refused: int,
    gate_refused_days: int,
    evaluate_margin: float,
    evaluate_slice_rows: int,
    evaluate_calibration: float,
    evaluate_leak: float,
    deploy_approval: str,
) -> None:
    """Collect, pull, ingest, validate, featurize, gate; then, only if the gate is open, train, evaluate, deploy."""
    # A scheduled run learns from the newest rows; one that a person submits, from the version that the person has.
    collect = steps.collect(
        given=pull_data_dvc,
        contract_yaml=pull_contract_yaml,
        remote=pull_remote,
        fetch=collect_fetch,
        # Empty in a scheduled run, whose batch ends on the day for which it was scheduled, whenever it starts.
        asked=ingest_until,
        scheduled=dsl.PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER,
        created=dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER,
        repository=collect_repository,
        commit=collect_commit,
    )
    # Asks what the sources have and which day it is at this moment, which no cache key knows.
    collect.set_caching_options(False)

    # A cluster has no checkout: the versions come as text, and the bytes that belong to them from the remote.
    pull = steps.pull(
        data_dvc=collect.outputs["data_dvc"],
        contract_yaml=pull_contract_yaml,
        features_sql=pull_features_sql,
        model_yaml=pull_model_yaml,
        remote=pull_remote,
    )

    # Sources differ in format and order; everything after this reads one kind of table, the same bytes each time.
    ingest = steps.ingest(
        data=pull.outputs["data"],
        contract=pull.outputs["contract"],
        until=collect.outputs["until"],
        batch_days=ingest_batch_days,
    )

    # A broken schema is a fault to mend, not drift to learn from: it has to stop the run before the gate sees it.
    validate = steps.validate(
        tables=ingest.outputs["tables"],
        manifest=ingest.outputs["manifest"],
        contract=pull.outputs["contract"],
        max_bad_share=validate_max_bad_share,
    )

    # Here alone the batch is told from the history, so that no later step can train on what it is judged by.
    featurize = steps.featurize(
        clean=validate.outputs["clean"],
        manifest=ingest.outputs["manifest"],
        contract=pull.outputs["contract"],
        sql=pull.outputs["sql"],
        estimator=pull.outputs["estimator"],
        window_days=train_window_days,
    )

    # Training costs, and every new champion is a risk: only a change that matters may cause one.
    gate = steps.gate(
        clean=validate.outputs["clean"],
        features=featurize.outputs["features"],
        batch=featurize.outputs["batch"],
        contract=pull.outputs["contract"],
        mode=gate_mode,
        off=gate_off,
        sample_rows=gate_sample_rows,
        minimum_rows=gate_minimum_rows,
        false_alarm_rate=gate_false_alarm_rate,
        minimum_effect=gate_minimum_effect,
        prediction_drift=gate_prediction_drift,
        label_drift=gate_label_drift,
        decay=gate_decay,
        max_age_days=gate_max_age_days,
        cooldown_days=gate_cooldown_days,
        max_refused=gate_max_refused,
        refused_days=gate_refused_days,
    )

    with dsl.If(gate.outputs["retrain"] == True, name="retrain"):  # builds a condition, compares nothing
        # The world has moved: learn it again, from the history only.
        train = steps.train(
            features=featurize.outputs["features"],
            batch=featurize.outputs["batch"],
            contract=pull.outputs["contract"],
            sql=pull.outputs["sql"],
            estimator=pull.outputs["estimator"],
            window_days=train_window_days,
        )

        # Newer is not better: the challenger has to win on rows that nobody has trained on.
        evaluate = steps.evaluate(
            clean=validate.outputs["clean"],
            features=featurize.outputs["features"],
            batch=featurize.outputs["batch"],
            contract=pull.outputs["contract"],
            model=train.outputs["model"],
            baselines=train.outputs["baselines"],
            record=train.outputs["record"],
            margin=evaluate_margin,
            slice_rows=evaluate_slice_rows,
            calibration=evaluate_calibration,
            leak=evaluate_leak,
        )

        # The model that was judged is the model that serves: it is registered as it is, with all its reasons.
        steps.deploy(
            contract=pull.outputs["contract"],
            sql=pull.outputs["sql"],
            estimator=pull.outputs["estimator"],
            batch=featurize.outputs["batch"],
            decision=gate.outputs["decision"],
            model=train.outputs["model"],
            reference=train.outputs["reference"],
            record=train.outputs["record"],
            verdict=evaluate.outputs["verdict"],
            approval=deploy_approval,
        )
