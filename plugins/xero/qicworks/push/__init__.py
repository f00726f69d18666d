"""The outbox: which documents are ready, what was sent, and how Xero responded."""
