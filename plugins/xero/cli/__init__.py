"""What the commands of `python -m xero` do."""
