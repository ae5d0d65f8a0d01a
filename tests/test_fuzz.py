"""Whatever is typed into whatever form: an answer in words, never a fault."""

import inspect
from dataclasses import dataclass, field
from html.parser import HTMLParser
from random import Random

import pytest
from django.db import transaction
from django.urls import reverse

from tests.pages import ROLES, Page, all_pages

PAGES = [
    page
    for page in all_pages()
    if page.method == "get" and page.draws and any(page.expected(role) == 200 for role in ROLES)
]
ROUNDS = 8
AWKWARD = [
    "", " ", "\x00", "\u202e omvänt", "👩‍🏫", "e\u0301" * 30, "-1", "0", "1e309", "99999999999999999999", "0001-01-01",
    "9999-12-31", "2026-02-30", "30 juni", "2022/23", "9999/00", "<script>alert(1)</script>", "' or 1=1 --", "{{ 7 }}",
    "%s%n", "../../etc/passwd", "å" * 5000, "a@b", "a" * 300 + "@kommun.example", "{år}{år}{nr}", "on", ":",
    "organisations.municipality:1", "records.event:1",
]  # fmt: skip


@dataclass
class Form:
    """A form as it stands on a page: where it goes, and the fields with what they hold."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class FormReader(HTMLParser):
    """Collects the forms that a page sends by POST."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = dict(attrs)
        if tag == "form":
            self.inside = (has.get("method") or "get").lower() == "post"
            if self.inside:
                self.forms.append(Form(has.get("action") or ""))
        elif self.inside and has.get("name") and tag in ("input", "select", "textarea", "button"):
            self.forms[-1].fields.setdefault(has["name"] or "", has.get("value") or "")

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag != "form"


def forms_on(html: str) -> list[Form]:
    reader = FormReader()
    reader.feed(html)
    return reader.forms


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES, ids=[f"{page.name}{page.query}" for page in PAGES])
def test_no_form_answers_a_fault(client, request, page: Page):
    dice = Random(page.name)
    args = page.args(*(request.getfixturevalue(name) for name in inspect.signature(page.args).parameters))
    url = reverse(page.name, args=args) + page.query
    role = next(role for role in reversed(ROLES) if page.expected(role) == 200)
    reader = None if role == "anonymous" else request.getfixturevalue(role)

    forms = forms_on(page_text(client, reader, url))
    for form in forms * ROUNDS:
        with transaction.atomic():  # taken back, so that every round meets the same rows
            filled = {name: dice.choice([value, *AWKWARD]) for name, value in form.fields.items()}

            answer = client.post(form.action or url, filled)

            transaction.set_rollback(True)
        assert answer.status_code < 500, (form.action or url, filled)


def page_text(client, reader, url: str) -> str:
    client.raise_request_exception = False
    if reader:
        client.force_login(reader)
    return client.get(url).content.decode()
