"""Documents cancelled in QicWorks after their push: deleted in Xero, or reported; and files removed since."""
