"""Measures this project and its alternatives: `make bench`, `make bench-scale`."""
