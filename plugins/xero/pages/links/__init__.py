"""The page Match: people and contacts that QicWorks and Xero both have, and what a user decides about them."""
