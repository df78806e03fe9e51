"""What Prometheus reads at /metrics."""

from prometheus_client import Counter, Gauge, Histogram

LATENCY_SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5)

REQUESTS = Counter("tidegate_requests_total", "Requests for predictions", ["protocol", "code"])
ERRORS = Counter("tidegate_errors_total", "Requests for predictions that were refused or failed", ["protocol", "code"])
LATENCY = Histogram("tidegate_latency_seconds", "From a request to its answer", ["protocol"], buckets=LATENCY_SECONDS)
ROWS = Counter("tidegate_rows_total", "Rows that were predicted", ["kind"])
VERSION = Gauge("tidegate_model_version", "The version that serves: 1 for it, 0 for those before", ["version"])
SWAPS = Counter("tidegate_swaps_total", "How often another version, or other tables, began to serve")
REFUSED = Counter("tidegate_refused_versions_total", "Versions that were not served because a check failed")
RECORDED = Counter("tidegate_recorded_rows_total", "Predicted rows that were recorded")
DROPPED = Counter("tidegate_dropped_rows_total", "Predicted rows that could not be recorded")
LOOKS = Counter("tidegate_looks_total", "Looks at the journal and the tables", ["outcome"])


def count(protocol: str, code: str, failed: bool, seconds: float) -> None:
    """Count a request that was answered."""
    REQUESTS.labels(protocol, code).inc()
    LATENCY.labels(protocol).observe(seconds)
    if failed:
        ERRORS.labels(protocol, code).inc()
