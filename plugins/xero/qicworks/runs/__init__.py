"""What all runs share: connection events, leases, Xero's limits across processes, and what is due when."""
