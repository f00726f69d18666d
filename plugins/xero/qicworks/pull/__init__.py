"""Staged rows, their merge into the pulled tables, and the rows that were rejected."""
