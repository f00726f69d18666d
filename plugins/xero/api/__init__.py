"""Xero over HTTP. Knows no tables and no Airflow."""

from xero import owner

owner.check()  # here, too: a package whose __init__.py lies over ours, as pyxero's may, imports its own xero.api first
