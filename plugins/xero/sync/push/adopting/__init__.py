"""Documents that somebody has typed into Xero by hand are held back and offered, never pushed twice."""
