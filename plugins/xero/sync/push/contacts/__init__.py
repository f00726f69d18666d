"""New contacts: looked for in Xero, then linked, created, or left for a person to decide."""
