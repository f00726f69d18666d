"""QicWorks' own contacts after a pull: which of Xero's they are, and what differs since they were linked."""
