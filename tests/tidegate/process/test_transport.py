"""Credentials go over https, to this machine, to services of the cluster, or where somebody allowed it."""

import pytest

from tidegate.process.errors import InputError
from tidegate.process.transport import check_encrypted, is_encrypted

NEAR = ("localhost", "LOCALHOST:5000", "a.localhost", "127.0.0.1:80", "127.9.9.9", "[::1]:5000", "mlflow.tidegate.svc",
        "mlflow.tidegate.svc:5000", "api.kubeflow.svc.cluster.local", "a.b.svc.")  # fmt: skip
FAR = ("mlflow.example.org", "10.0.0.1", "mlflow", "localhost.example.org", "svc", "evilsvc", "x.svc.example.org",
       "127.0.0.1.example.org", "[2001:db8::1]", "0.0.0.0", "x.cluster.local")  # fmt: skip


@pytest.mark.parametrize("host", NEAR)
def test_the_way_is_short(host: str) -> None:
    assert is_encrypted(f"http://{host}/x")


@pytest.mark.parametrize("host", FAR)
def test_the_way_is_not_short(host: str) -> None:
    assert not is_encrypted(f"http://{host}/x") and not is_encrypted(f"HTTP://{host}/x")
    assert is_encrypted(f"https://{host}/x") and is_encrypted(f"ssh://git@{host}/x") and is_encrypted("/a/path")


def test_an_exception_is_of_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_INSECURE", "http://a.example:5000/ http://b.example")
    check_encrypted("MLflow", "http://a.example:5000/api")
    check_encrypted("MLflow", "http://b.example")
    for other in ("http://a.example", "http://a.example:5001", "http://c.example", "http://b.example.org"):
        with pytest.raises(InputError, match="use https, or list it in TIDEGATE_INSECURE"):
            check_encrypted("MLflow", other)


def test_the_error_shows_no_password() -> None:
    with pytest.raises(InputError) as error:
        check_encrypted("MLFLOW_TRACKING_URI", "http://ada:hush@mlflow.example/x")
    assert str(error.value) == (
        "MLFLOW_TRACKING_URI: expected https, because credentials are sent, found http://mlflow.example/x; "
        "use https, or list it in TIDEGATE_INSECURE"
    )
