"""A session of the QicWorks database for each request."""

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends
from sqlalchemy import Engine

from xero.hooks import qicworks_engine
from xero.qicworks import database
from xero.qicworks.database import Session


def engine() -> Engine:
    """Without parameters: the address of a request must not choose the connection."""
    return qicworks_engine()


def session() -> Iterator[Session]:
    with database.session(engine()) as opened:
        yield opened


SessionDep = Annotated[Session, Depends(session)]
EngineDep = Annotated[Engine, Depends(engine)]
