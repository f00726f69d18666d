"""Seals on rows that decide what is sent. Making one takes the token keys, not only write access to the table."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography.fernet import InvalidToken

from xero.api.settings import XeroApp
from xero.qicworks.connect.tokens import vault


class Seals:
    """Makes and reads seals under an app's token keys: always under the newest, read under any of them.

    A seal is a Fernet token of the facts' digest: it holds the moment at which it was made, in whole seconds.
    """

    def __init__(self, app: XeroApp) -> None:
        self._vault = vault(app)

    def seal(self, facts: dict[str, Any], at: datetime) -> bytes:
        """`facts`: what JSON can say; `at`: aware, by the clock that ages are measured with."""
        return self._vault.encrypt_at_time(_digest(facts), int(at.timestamp()))

    def made_at(self, seal: bytes | None, facts: dict[str, Any]) -> datetime | None:
        """When these facts were sealed; None if the seal is missing, is of other facts, or no key opens it."""
        if not seal:
            return None
        try:
            if self._vault.decrypt(seal) != _digest(facts):
                return None
        except InvalidToken:
            return None
        return datetime.fromtimestamp(self._vault.extract_timestamp(seal), UTC)


def _digest(facts: dict[str, Any]) -> bytes:
    # Sorted, because jsonb returns keys in its own order.
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).digest()
