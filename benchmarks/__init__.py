"""Measures this project, and what users would pick instead: `make bench`, `make bench-scale`."""
