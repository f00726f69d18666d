"""What a document says, in QicWorks and in Xero, field by field; and who changed what since it was pushed."""

from xero.sync.push.content.content import Content, of_document, of_record, same_content

__all__ = ["Content", "of_document", "of_record", "same_content"]
