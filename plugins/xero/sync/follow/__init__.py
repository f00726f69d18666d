"""What became of it: comparing QicWorks with Xero after pulls and pushes."""
