"""The machine's chromium, driven by Playwright, and how a user comes into Airflow's UI and its frame with it."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Frame, Page, Request, expect, sync_playwright

from tests.support.stack import Stack

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",  # as root there is none
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",  # all that it visits is on this machine
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-AU",  # how date fields show days
)
PATIENCE = 120_000  # ms for anything to appear: on a busy machine the first page of Airflow's UI takes half of it


@contextmanager
def launched() -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            yield started
        finally:
            started.close()


def chromium() -> str:
    """Where it is."""
    given = os.environ.get("CHROMIUM")
    for name in (given,) if given else NAMES:
        if path := shutil.which(name):
            return path
    raise FileNotFoundError(f"There is no {given or 'chromium'}: `make browser` says what to do.")


def login(browser: Browser, stack: Stack, user: str = "admin", **how: Any) -> Page:
    """A page of the user's own, logged in and in Airflow's UI; `how`: what a Playwright context takes.

    Close its `context` when done."""
    context = browser.new_context(base_url=stack.place.ui, **how)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto("/")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(stack.place.secrets[f"{user}_password"])
    page.get_by_role("button", name="Sign in").click()
    # The login writes the cookie and then goes on by itself: whoever goes elsewhere before that is not logged in.
    page.get_by_role("link", name="Dags", exact=True).wait_for()
    return page


class Witness:
    """What a page did that nobody sees: errors on pages of this server, and requests to other machines."""

    def __init__(self, page: Page, server: str) -> None:
        self.server = server
        self.errors: list[str] = []
        self.strangers: set[str] = set()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and message.location["url"].startswith(self.server):
            self.errors.append(f"{message.location['url']}: {message.text}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob") and parts.hostname not in ("localhost", "127.0.0.1"):
            self.strangers.add(request.url)


def complaints(page: Page | Frame, *rules: str) -> list[str]:
    """What keeps people out who cannot see the page, or use no mouse: rule, what it is about, where.

    `rules`: only these of axe's; none: all."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{one['id']}: {one['help']}: {node['html']}" for one in found for node in one["nodes"]]
