"""Runs before the MLflow server starts: migrates its database, and sets the passwords of its users."""

import os
import subprocess
import sys
from collections.abc import Mapping

import psycopg
from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

USERS = {
    "admin": "MLFLOW_ADMIN_PASSWORD",
    "tidegate": "MLFLOW_RUN_PASSWORD",
    "predictor": "MLFLOW_PREDICTOR_PASSWORD",
}
READER, READABLE = "predictor", ("registered_model", "experiment")  # all of them, and nothing else
TURN = 0x71DE6A7E  # an advisory lock, because concurrent migrations of several replicas would fail


def prepare(environment: Mapping[str, str]) -> None:
    """Wait for the lock, migrate, then create the users or change their passwords."""
    uri = environment["MLFLOW_BACKEND_STORE_URI"]
    with psycopg.connect(autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [TURN])
        subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", uri], check=True)
        store = SqlAlchemyStore()
        store.init_db(uri)  # type: ignore[no-untyped-call]
        for name, variable in USERS.items():
            change = store.update_user if store.has_user(name) else store.create_user
            change(name, environment[variable], is_admin=name == "admin")
        _let_read(store, READER)


def _let_read(store: SqlAlchemyStore, user: str) -> None:
    """Give a user a role of the same name that may read; what is there already stays."""
    roles = {role.name: role for role in store.list_roles()}
    role = roles.get(user) or store.create_role(user, workspace="default")
    held = {right.resource_type for right in store.list_role_permissions(role.id)}
    for kind in READABLE:
        if kind not in held:
            store.add_role_permission(role.id, kind, "*", "READ")
    number = store.get_user(user).id
    if user not in {role.name for role in store.list_user_roles(number)}:
        store.assign_role_to_user(number, role.id)


if __name__ == "__main__":
    prepare(os.environ)
