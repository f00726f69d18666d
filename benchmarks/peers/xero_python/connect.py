"""The SDK's client for the sandbox; see `pull.py` and `push.py`."""

import base64
import json
import os
import time
from collections.abc import Callable
from typing import Any

import urllib3
from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient, Configuration
from xero_python.api_client.oauth2 import OAuth2Token


def fetch_token() -> dict[str, Any]:
    """Fetches a token by client credentials, as Xero documents it. Raises RuntimeError with the status.

    The SDK's own way has a fixed host and sends the secret in the form; the sandbox accepts only basic authentication.
    """
    client = base64.b64encode(f"{os.environ['CLIENT_ID']}:{os.environ['CLIENT_SECRET']}".encode()).decode()
    response = urllib3.request(
        "POST",
        f"{os.environ['XERO_URL']}/connect/token",
        body=b"grant_type=client_credentials",
        headers={"Authorization": f"Basic {client}", "Content-Type": "application/x-www-form-urlencoded"},
    )
    if response.status != 200:
        raise RuntimeError(f"the token endpoint responded with {response.status}")
    token: dict[str, Any] = json.loads(response.data)
    return {**token, "expires_at": time.time() + token["expires_in"]}


def token_getter() -> Callable[[], dict[str, Any]]:
    """Called by the SDK before each call: returns the token, or a new one in its last two minutes."""
    token = fetch_token()

    def get() -> dict[str, Any]:
        nonlocal token
        if token["expires_at"] < time.time() + 120:
            token = fetch_token()
        return token

    return get


def accounting() -> AccountingApi:
    client = ApiClient(Configuration(oauth2_token=OAuth2Token()), oauth2_token_getter=token_getter())
    return AccountingApi(client, base_url=f"{os.environ['XERO_URL']}/api.xro/2.0")
