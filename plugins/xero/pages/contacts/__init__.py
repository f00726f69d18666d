"""New contacts, and what a user decides about each."""
