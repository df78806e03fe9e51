#!/usr/bin/env bash
# Writes the tar of a small Debian with Python, which trusts whom this machine trusts: a base where none can be pulled.
set -euo pipefail
base=$(mktemp -d)
trap 'rm -rf --one-file-system "$base"' EXIT
release=bookworm # its Python is 3.11
mirror=$(apt-get indextargets --format '$(REPO_URI)' "Release: $release" "Origin: Debian" | awk 'NR == 1' || true)
debootstrap --variant=minbase --include=ca-certificates,python3-venv "$release" "$base" ${mirror:+"$mirror"} >&2
rm -rf "$base"/var/cache/apt/archives/*.deb "$base"/var/lib/apt/lists/*
for file in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt; do
    if [ -f "$file" ]; then cp "$file" "$base$file"; fi
done
tar --one-file-system -C "$base" -c .
