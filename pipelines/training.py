"""The single definition of the pipeline: `tidegate compile` compiles it for Kubeflow, `tidegate render` for DVC."""

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
    validate_publish: str,
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
    gate_together: float,
    gate_slice_drift: float,
    gate_estimate: float,
    gate_max_age_days: int,
    gate_cooldown_days: int,
    gate_max_refused: int,
    gate_refused_days: int,
    evaluate_margin: float,
    evaluate_slice_rows: int,
    evaluate_calibration: float,
    evaluate_leak: float,
    deploy_approval: str,
    deploy_sign: str,
    deploy_target: str,
    deploy_service: str,
    deploy_canary_percent: int,
    deploy_watch_seconds: int,
    deploy_shadow: bool,
    serve_record: str,
) -> None:
    """Collect, pull, ingest, validate, featurize, gate; then, only if the gate is open, train, evaluate, deploy."""
    # A scheduled run uses the newest rows; a submitted run uses the version of the submitter's data.dvc.
    collect = steps.collect(
        current_data_dvc=pull_data_dvc,
        contract_yaml=pull_contract_yaml,
        remote=pull_remote,
        fetch=collect_fetch,
        # Empty in a scheduled run: its batch ends on the day for which it was scheduled.
        requested_until=ingest_until,
        scheduled=dsl.PIPELINE_JOB_SCHEDULE_TIME_UTC_PLACEHOLDER,
        created=dsl.PIPELINE_JOB_CREATE_TIME_UTC_PLACEHOLDER,
        repository=collect_repository,
        commit=collect_commit,
    )
    # The result depends on the sources and the current date, which are not part of a cache key.
    collect.set_caching_options(False)

    # A cluster has no checkout: the files come as text parameters, and the data from the DVC remote.
    pull = steps.pull(
        data_dvc=collect.outputs["data_dvc"],
        contract_yaml=pull_contract_yaml,
        features_sql=pull_features_sql,
        model_yaml=pull_model_yaml,
        remote=pull_remote,
    )

    # Raw files differ in format and order; all later steps read Parquet tables that are equal byte for byte.
    ingest = steps.ingest(
        data=pull.outputs["data"],
        contract=pull.outputs["contract"],
        until=collect.outputs["until"],
        batch_days=ingest_batch_days,
    )

    # A schema violation is an error, not drift: it stops the run before the gate.
    validate = steps.validate(
        tables=ingest.outputs["tables"],
        manifest=ingest.outputs["manifest"],
        contract=pull.outputs["contract"],
        max_bad_share=validate_max_bad_share,
        publish=validate_publish,
    )

    # Only this step separates batch and history, so no later step can train on the rows of the evaluation.
    featurize = steps.featurize(
        clean=validate.outputs["clean"],
        manifest=ingest.outputs["manifest"],
        findings=validate.outputs["findings"],
        contract=pull.outputs["contract"],
        sql=pull.outputs["sql"],
        estimator=pull.outputs["estimator"],
        window_days=train_window_days,
    )

    # Training has a cost, and every new champion is a risk: train only after a change that matters.
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
        together=gate_together,
        slice_drift=gate_slice_drift,
        estimate=gate_estimate,
        max_age_days=gate_max_age_days,
        cooldown_days=gate_cooldown_days,
        max_refused=gate_max_refused,
        refused_days=gate_refused_days,
        sign=deploy_sign,
        target=deploy_target,
        service=deploy_service,
    )

    with dsl.If(gate.outputs["retrain"] == True, name="retrain"):  # builds a condition, compares nothing
        # Train on the history only.
        train = steps.train(
            features=featurize.outputs["features"],
            batch=featurize.outputs["batch"],
            contract=pull.outputs["contract"],
            sql=pull.outputs["sql"],
            estimator=pull.outputs["estimator"],
            window_days=train_window_days,
        )

        # The challenger has to win on rows that no model was trained on.
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
            sign=deploy_sign,
            shadow=deploy_shadow,
            recordings=serve_record,
        )

        # The evaluated model itself is registered, with the decision and the verdict.
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
            sign=deploy_sign,
            target=deploy_target,
            service=deploy_service,
            canary_percent=deploy_canary_percent,
            watch_seconds=deploy_watch_seconds,
        )
