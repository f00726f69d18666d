"""The page Settings of a connection."""
