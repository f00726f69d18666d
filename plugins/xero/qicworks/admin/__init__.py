"""Migrations, the rights of the database role, and retention."""
