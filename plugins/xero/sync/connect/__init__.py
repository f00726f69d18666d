"""Connecting: consent, matching organisations, renewing idle tokens, disconnecting."""
