"""Which day a run's batch ends on, by what Kubeflow says of the run, and what is said about it."""

from datetime import UTC, datetime

import pytest

from tidegate.components.collect.day import day

NOW = datetime(2026, 12, 1, 0, 30, tzinfo=UTC)
SCHEDULED, CREATED = "2026-11-28T22:36:00Z", "2026-11-29T01:00:25Z"
LEFT = ("{{$.pipeline_job_schedule_time_utc}}", "{{$.pipeline_job_create_time_utc}}")


@pytest.mark.parametrize(
    ("requested", "scheduled", "created", "until", "origin"),
    [
        ("2013-03-01", SCHEDULED, CREATED, "2013-03-01", ""),
        ("2013-03-01T06:00:00", *LEFT, "2013-03-01T06:00:00", ""),
        ("", SCHEDULED, CREATED, "2026-11-28", f"scheduled for {SCHEDULED}"),
        ("", "2026-11-28T23:30:00-02:00", CREATED, "2026-11-29", "scheduled for 2026-11-28T23:30:00-02:00"),
        ("", LEFT[0], CREATED, "2026-11-29", f"the run began at {CREATED}; Kubeflow did not say for when it was"),
        ("", "", CREATED, "2026-11-29", f"the run began at {CREATED}; Kubeflow did not say for when it was"),
        ("", *LEFT, "2026-12-01", "the clock said 2026-12-01T00:30:00Z; Kubeflow did not say when the run began"),
    ],
)
def test_the_best_that_is_known_counts_and_is_said(
    requested: str, scheduled: str, created: str, until: str, origin: str
) -> None:
    assert day(requested, scheduled, created, NOW) == (until, origin)
