"""The machine's chromium, driven by Playwright, and how a user comes into Airflow's UI with it."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from tests.stack.conftest import Stack

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
)
PATIENCE = 60_000  # ms for anything to appear: on a busy machine the first page of Airflow's UI takes half of it


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield started
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


def complaints(page: Page | Frame) -> list[str]:
    """What keeps people out who cannot see the page, or use no mouse: rule, what it is about, where."""
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {one['help']}: {node['html']}" for one in found for node in one["nodes"]]
