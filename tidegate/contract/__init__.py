"""The contract of a problem: columns, roles, sources, behavioural tests, and its JSON schema."""
