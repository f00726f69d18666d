"""Sends tap-xero to XERO_URL: its hosts are written into its code. Python imports this by itself from PYTHONPATH."""

import os
from typing import Any

from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

HOSTS = ("https://api.xero.com", "https://identity.xero.com")

send_as_asked = HTTPAdapter.send


def send(adapter: HTTPAdapter, request: PreparedRequest, *args: Any, **rest: Any) -> Response:
    for host in HOSTS:
        request.url = str(request.url).replace(host, os.environ["XERO_URL"])
    return send_as_asked(adapter, request, *args, **rest)


HTTPAdapter.send = send  # type: ignore[method-assign]
