"""`make demo`: the whole project on one machine, against a local Xero, with nothing installed beforehand but Python."""
