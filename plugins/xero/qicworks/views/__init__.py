"""What pages, alerts and metrics show. Reads only."""
