"""Documents that a user may have typed into Xero by hand: what may be decided about each."""
