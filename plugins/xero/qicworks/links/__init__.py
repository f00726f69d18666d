"""Who of QicWorks' staff and contacts is who in Xero, where a user decides; undoing a link."""
