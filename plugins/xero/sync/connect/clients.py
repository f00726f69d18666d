"""How a flow gets the client of an organisation: it is given a function that opens one."""

from collections.abc import Callable

from xero.api.client import XeroClient
from xero.qicworks.connect.connections import Connection

OpenClient = Callable[[Connection, bool], XeroClient]  # (connection, started by hand) -> client
