"""What is stored about a person: where it is mentioned, its export and its erasure."""
