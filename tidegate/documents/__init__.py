"""Readers, writers and checks of the documents that steps exchange."""
