"""A session of the QicWorks database for the time of one request."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import Engine

from xero.hooks import qicworks_engine
from xero.qicworks import database
from xero.qicworks.database import Session


def engine() -> Engine:
    """Without parameters of its own: whoever asks must not choose the connection by the address."""
    return qicworks_engine()


def session() -> Iterator[Session]:
    with database.session(engine()) as opened:
        yield opened


SessionDep = Annotated[Session, Depends(session)]
EngineDep = Annotated[Engine, Depends(engine)]
