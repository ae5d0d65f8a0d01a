"""Take the README's picture of a running portal with the demo loaded: `.venv/bin/python docs/screenshot.py`."""

import os
import shutil
from pathlib import Path

from playwright.sync_api import sync_playwright

ADDRESS = os.environ.get("SITE_URL", "http://localhost:8000")
PERSON, PASSWORD = "handlaggare.enkoping@demo.example", os.environ.get("DEMO_PASSWORD", "fyra-malarstader")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
    page = browser.new_page(viewport={"width": 1280, "height": 900}, locale="sv-SE")
    page.goto(f"{ADDRESS}/konto/login/")
    page.fill("[name=login]", PERSON)
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    page.wait_for_url(f"{ADDRESS}/")
    page.screenshot(path=Path(__file__).with_name("start.png"))
    browser.close()
