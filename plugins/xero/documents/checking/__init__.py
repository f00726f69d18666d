"""Checks of documents, apart from those of every kind."""
