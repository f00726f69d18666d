"""The page of differences between QicWorks and Xero, and what a user decides about one of them."""
