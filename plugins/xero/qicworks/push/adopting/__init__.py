"""Documents that somebody may have typed into Xero by hand."""
