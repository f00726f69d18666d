"""The first day of an organisation: what is left before its documents are pushed, step by step."""
