"""Measurements, on this machine, against the sandbox with the real limits. `make bench` runs them."""
