"""A kubeconfig for a server of the tests."""

from pathlib import Path


def write(path: Path, url: str) -> str:
    """Two contexts of one cluster, each with a token of its own; returns the path."""
    path.write_text(
        f"""
apiVersion: v1
kind: Config
current-context: dev
clusters: [{{name: here, cluster: {{server: "{url}"}}}}]
users: [{{name: ada, user: {{token: kube-token}}}}, {{name: bob, user: {{token: another-token}}}}]
contexts:
- {{name: dev, context: {{cluster: here, user: ada}}}}
- {{name: other, context: {{cluster: here, user: bob}}}}
"""
    )
    return str(path)
