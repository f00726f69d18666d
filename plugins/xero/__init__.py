"""Keeps QicWorks and Xero in step."""
