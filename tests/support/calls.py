"""Where tests step between this project and Xero: at HTTP, whatever the client above it looks like."""

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock
from uuid import uuid4

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

Forward = Callable[..., requests.Response]  # sends the request on; keywords such as `timeout` replace the client's


@contextmanager
def intercepted(handle: Callable[[requests.PreparedRequest, Forward], requests.Response]) -> Iterator[None]:
    """For a while `handle` responds to each call to Xero, of every session and thread of this process."""

    def send(adapter: Any, request: Any, _real: Any = HTTPAdapter.send, **options: Any) -> requests.Response:
        def forward(**instead: Any) -> requests.Response:
            response: requests.Response = _real(adapter, request, **{**options, **instead})
            return response

        if "/sandbox/" in request.url:  # what the test itself asks of the sandbox
            return forward()
        return handle(request, forward)

    with mock.patch.object(HTTPAdapter, "send", send):
        yield


def is_write(request: requests.PreparedRequest) -> bool:
    """Whether it brings documents to Xero; attachments have a path of their own."""
    url = request.url or ""
    return request.method in ("PUT", "POST") and ".xro/" in url and "/Attachments/" not in url


@contextmanager
def sent_twice() -> Iterator[None]:
    """Each write comes to Xero a second time, as a request of its own."""

    def handle(request: requests.PreparedRequest, forward: Forward) -> requests.Response:
        response = forward()
        if is_write(request):
            request.body.seek(0)
            request.headers["Idempotency-Key"] = str(uuid4())
            again = forward()
            assert again.status_code == 200, again.text
        return response

    with intercepted(handle):
        yield


def response(status: int, content_type: str, body: str) -> requests.Response:
    """One that Xero did not give."""
    made = requests.Response()
    made.status_code = status
    made.headers["Content-Type"] = content_type
    made.raw = HTTPResponse(io.BytesIO(body.encode()), status=status, preload_content=False)
    return made
