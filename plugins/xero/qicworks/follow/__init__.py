"""What became of documents after their push, and what differs until it is settled."""
