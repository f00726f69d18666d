"""Pushes attachments after their documents: each is sent, and retried, separately."""

import logging
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from xero.api import wire
from xero.api.client import XeroClient
from xero.api.errors import BadAnswer, Refused, RetryLater, XeroError, cleaned
from xero.documents.declaration import PricedKind
from xero.documents.parts.attachments import AttachmentRow
from xero.qicworks.push.links import current
from xero.qicworks.push.outbox import Outbox, PushState, Result
from xero.sync.push import outages, plan
from xero.sync.push.deadlines import REPLAY_WINDOW_SECONDS
from xero.sync.push.identify import Finder
from xero.sync.push.settle import ResultRecorder
from xero.sync.push.verdicts import Settled, not_its_own, refused
from xero.sync.runs.run import Run

log = logging.getLogger(__name__)

FORBIDDEN = '<>:"/\\|?*\0+'
MAX_FILE_BYTES = 10 * 1024 * 1024  # bytes
MAX_FILES = 10  # of a document

FAILS = "Xero returned a server error (HTTP 5xx)"
REPLACE = "Replace the file in QicWorks. The file is then sent automatically. Or attach it in Xero by hand."
RENAME = "Rename the file in QicWorks. The file is then sent automatically."

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
#: A type as a header can carry it: application/pdf; text/plain; charset=utf-8.
MIME_TYPE = re.compile(rf'{_WORD}/{_WORD}(?: *; *{_WORD}="?{_WORD}"?)*')


class NotAsSent(BadAnswer):
    """A response that does not mention the file: whether Xero has it is not known, and a retry does no harm."""


class Attachments:
    """Sends the files that wait. Xero keeps one file of a name for each document, so a retry changes nothing."""

    def __init__(self, it: Run, kind: PricedKind, outbox: Outbox, recorder: ResultRecorder) -> None:
        self.it = it
        self.kind = kind
        self.outbox = outbox
        self.recorder = recorder
        self.finder = Finder(kind, outbox)
        self._own: dict[UUID, bool] = {}
        self._there: dict[UUID, dict[str, Any]] = {}
        self._looked_in_vain: set[UUID] = set()

    def run(self, wanted: Sequence[UUID] | None) -> None:
        """Sends the files of the `wanted` documents; None for all.

        Re-raises the first server error after the other files are sent, so one bad file cannot block the queue.
        """
        failed: XeroError | None = None
        for attachment in self.outbox.attachments(wanted, self.it.event_id):
            of = self.kind.called(attachment.number, attachment.document_id)
            name = f"{cleaned(attachment.file_name) or 'a file'} of {of}"
            try:
                if not self._is_for_its_own(of, attachment):
                    continue
                result, sent = _invalid(attachment), False
                if result is None:
                    sent, result = True, self._send(name, attachment)
            except XeroError as error:
                if not error.server_failed and not isinstance(error, NotAsSent):
                    raise
                log.warning("%s: %s", name, error.message)
                sent, result = True, self._failed_over(attachment, error)
                failed = failed or (error if result.state is PushState.READY else None)
            if result is None:
                continue
            settled = Settled(attachment.id, attachment.push_version, name, result, attachment.document_id)
            self.recorder.record_attachment(settled, sent=sent)
        if failed:
            raise failed

    def _is_for_its_own(self, name: str, attachment: AttachmentRow) -> bool:
        """Whether the record that its document is linked to is its own; if not, warns, and its files are not sent."""
        id, xero_id = attachment.document_id, attachment.xero_id
        if id not in self._own:
            sealed = current(self.outbox.links(id, attachment.links)) == xero_id
            self._own[id] = sealed or self._says_it_is(name, id, xero_id)
        return self._own[id]

    def _says_it_is(self, name: str, id: UUID, xero_id: UUID) -> bool:
        """Without a seal, the record in Xero decides."""
        found = plan.fetch_one(self.it.client, self.kind, xero_id)
        record = found if isinstance(found, Mapping) else None
        for document in self.outbox.read_priced([id]):
            if record and document.xero_id == xero_id and self.finder.is_own(document, record):
                return True
        number = None if record is None else str(record.get(self.kind.number) or "")
        doubt = not_its_own(self.kind, name, xero_id, number)
        self.recorder.warn(f"{name}: its files are not sent, because {doubt.error}", doubt.correction or "")
        return False

    def _send(self, name: str, attachment: AttachmentRow) -> Result | None:
        """None if it is no longer to be sent."""
        try:
            return self._taken(attachment) or self._put(attachment)
        except Refused as refusal:
            return refused(self.kind, name, None, refusal.messages)

    def _failed_over(self, attachment: AttachmentRow, error: XeroError) -> Result:
        """The next run retries it once; then it fails, unless Xero is down for all."""
        if attachment.failed_before and outages.is_of_one(self.it.client, self.kind.path, error):
            return Result(PushState.FAILED, error=f"{FAILS} each time that it was sent", correction=REPLACE)
        return Result(PushState.READY, error=FAILS, correction="No action needed: the next run retries it.")

    def _taken(self, attachment: AttachmentRow) -> Result | None:
        """Fails if Xero has another file of this name, which would be overwritten. One of the same size is ours."""
        if not self.outbox.may_be_others(attachment):
            return None
        there = self._sizes(attachment.xero_id)
        if there.get(attachment.file_name.casefold(), attachment.size) == attachment.size:
            return None
        return Result(
            PushState.FAILED, error="not sent: Xero already has another file with this name there", correction=RENAME
        )

    def _sizes(self, document: UUID) -> dict[str, Any]:
        """Sizes of the files that a document has in Xero, by name."""
        if document in self._there:
            return self._there[document]
        try:
            found = fetch_files(self.it.client, self.kind, document)
        except RetryLater as error:  # one document may cause an outage; two mean that Xero is down
            self._looked_in_vain.add(document)
            error.server_failed = error.limit == "outage" and len(self._looked_in_vain) == 1
            raise
        self._there[document] = {str(one.get("FileName")).casefold(): one.get("ContentLength") for one in found}
        return self._there[document]

    def _put(self, attachment: AttachmentRow) -> Result | None:
        content = self.outbox.attachment_content(attachment.id)
        if content is None:
            return None
        path = f"{self.kind.path}/{attachment.xero_id}/Attachments/{quote(attachment.file_name, safe='')}"
        online = attachment.include_online and self.kind.shows_online(attachment)
        answer = self.it.client.write(
            "PUT",
            path,
            content,
            key=str(uuid4()),
            params={"IncludeOnline": "true"} if online else {},
            content_type=attachment.mime_type,
            replay_window=REPLAY_WINDOW_SECONDS,
        )
        return _read(answer.data, attachment.file_name)


def invalid_name(name: str) -> str | None:
    """Why no file of this name can be sent."""
    if bad := sorted(set(name) & set(FORBIDDEN)):
        return f"its name contains {' '.join(bad)}"
    if any(unicodedata.category(character) == "Cc" for character in name):
        return "its name contains control characters"
    if not name.replace(".", "").strip():  # in a path, ".." is the document itself
        return "its file name is not valid"
    return None


def _invalid(attachment: AttachmentRow) -> Result | None:
    """Why it cannot be sent: Xero would refuse it, or its name would change the request."""
    says, correction = None, RENAME
    if bad := invalid_name(attachment.file_name):
        says = bad
    elif not MIME_TYPE.fullmatch(attachment.mime_type):
        says = "its type is not one like application/pdf"
        correction = "Correct the file's type in QicWorks. The file is then sent automatically."
    elif attachment.size > MAX_FILE_BYTES:
        says = "it is larger than 10 MB"
        correction = "Replace it with a smaller one in QicWorks. The file is then sent automatically."
    elif not attachment.size:
        says = "it is empty"
        correction = "Attach the file again in QicWorks. The file is then sent automatically."
    elif attachment.place > MAX_FILES:
        says = f"Xero allows at most {MAX_FILES} attachments for each document"
        correction = "Remove attachments in QicWorks, or add this one in Xero by hand."
    return Result(PushState.FAILED, error=f"not sent: {says}", correction=correction) if says else None


def fetch_files(client: XeroClient, kind: PricedKind, xero_id: UUID) -> list[dict[str, Any]]:
    """The files that a record has in Xero. Raises NotAsSent if the response is not a list of files."""
    return listed_files(client.get(f"{kind.path}/{xero_id}/Attachments").data)


def listed_files(data: Any) -> list[dict[str, Any]]:
    """The files in a response. Raises NotAsSent if it is not a list of files."""
    found = data.get("Attachments") if isinstance(data, dict) else None
    files = wire.objects(found)
    if not isinstance(found, list) or len(files) != len(found):
        raise NotAsSent(
            "Xero's response is not a list of attachments.",
            "Push again; if it keeps failing, contact QicWorks support.",
        )
    return files


def _read(data: Any, name: str) -> Result:
    """The result of the file with that name. Raises NotAsSent if the response does not mention it."""
    for file in listed_files(data):
        there = wire.word(file.get("FileName"))
        if there and not same_name(there, name):
            return Result(PushState.FAILED, error="Xero has it under another name: check in Xero", correction=RENAME)
        try:
            xero_id = wire.uuid(file.get("AttachmentID"))
        except ValueError:
            continue
        if xero_id and xero_id.int:
            return Result(PushState.PUSHED, xero_id)
    raise NotAsSent(
        "Xero's response did not mention the attachment.", "Push again; if it keeps failing, contact QicWorks support."
    )


def same_name(one: str, other: str) -> bool:
    """Whether Xero may keep one under the other's name."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())
