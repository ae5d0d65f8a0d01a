"""Every address meets every role, and answers as the tables in `tests/<app>/pages.py` say."""

import inspect
from collections import Counter

import pytest
from django.urls import reverse

from tests.pages import ROLES, all_pages, names

PAGES = all_pages()


def test_every_address_is_in_the_tables():
    assert sorted(set(names()) - {page.name for page in PAGES}) == []


def test_the_tables_name_only_addresses_that_exist():
    assert sorted({page.name for page in PAGES} - set(names())) == []


def test_no_address_stands_twice_in_the_tables():
    rows = Counter((page.name, page.query, page.method) for page in PAGES)

    assert [row for row, count in rows.items() if count > 1] == []


@pytest.mark.django_db
@pytest.mark.parametrize("page", PAGES, ids=[f"{page.method} {page.name}{page.query}" for page in PAGES])
def test_address_answers_each_role_as_the_tables_say(client, request, page):
    args = page.args(*(request.getfixturevalue(name) for name in inspect.signature(page.args).parameters))
    url = reverse(page.name, args=args) + page.query

    met = {}
    for role in ROLES:
        client.logout()
        if role != "anonymous":
            client.force_login(request.getfixturevalue(role))
        if page.method == "post":
            met[role] = client.post(url, page.data).status_code
        else:
            met[role] = client.get(url).status_code

    assert met == {role: page.expected(role) for role in ROLES}


@pytest.mark.django_db
@pytest.mark.parametrize("role", [role for role in ROLES if role not in ("anonymous", "system_administrator")])
def test_the_administration_of_tables_is_for_the_system_administrator(client, request, role):
    client.force_login(request.getfixturevalue(role))

    assert client.get("/admin/").status_code == 302


@pytest.mark.django_db
def test_the_administration_of_tables_opens_for_the_system_administrator(client, system_administrator):
    client.force_login(system_administrator)

    assert client.get("/admin/").status_code == 200
