"""What is known of a cancelled document in Xero, in words, and its open difference."""
