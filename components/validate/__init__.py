"""Validate: tables against the contract; sets single bad rows aside, stops on schema skew with every violation."""
