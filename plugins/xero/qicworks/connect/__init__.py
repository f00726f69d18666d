"""Which Xero organisation is connected to which QicWorks organisation, and the encrypted tokens for it."""
