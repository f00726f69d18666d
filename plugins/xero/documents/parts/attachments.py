"""What is read of a document's files, and of the links of files and documents to their records in Xero."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

Links = list[dict[str, Any]] | None  # the rows of xero_sync.link_said; only sealed ones are trusted


@dataclass(frozen=True, kw_only=True)
class AttachmentRow:
    """A file that waits, and the document that it belongs to. Its content is read by itself."""

    id: UUID
    push_version: int
    file_name: str
    mime_type: str
    size: int  # bytes
    include_online: bool
    place: int  # among the files of its document, from 1
    failed_before: bool
    file_xero_id: UUID | None
    file_links: Links
    document_id: UUID
    number: str | None
    xero_id: UUID  # of the document
    side: str | None
    links: Links  # of the document
    stood_there: bool  # the document was in Xero before this run
