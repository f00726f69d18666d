-- depends: 0015.sealed-matches
-- Of one contact: whether QicWorks has a document of the same number and amount once more.
CREATE INDEX bill_contact ON qicworks.bill (contact_id);
CREATE INDEX expense_contact ON qicworks.expense (contact_id);
CREATE INDEX credit_note_contact ON qicworks.credit_note (contact_id);
