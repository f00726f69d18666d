"""Documents that come in through the API: read, checked by Xero's rules in Xero's words, priced, saved."""
