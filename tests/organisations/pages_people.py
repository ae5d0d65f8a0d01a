"""The addresses of people, roles and invitations, and what each role meets there."""

import re

from organisations.models import RoleKind
from organisations.operations import create_token, invite_person
from records.models import Outgoing
from tests.pages import Page

SYSTEM = {"system_administrator": 200}
COLLEAGUES = {"owner": 200, "asker": 200, "outsider": 200, "system_administrator": 200}


def of_owner(owner):
    return [owner.pk]


def of_role(owner):
    return [owner.roles.get().pk]


def of_key(owner):
    return [create_token(owner, name="Schema", by=owner)[0].pk]


def invited(home, system_administrator):
    return invite_person(
        email="ny@kommun.example",
        name="Ny Person",
        kind=RoleKind.ADMINISTRATOR,
        body=home.body,
        by=system_administrator,
    )


def of_invitation(home, system_administrator):
    return [invited(home, system_administrator).pk]


def of_link(home, system_administrator):
    invited(home, system_administrator)
    return [re.search(r"/inbjudan/([^/\s]+)/", Outgoing.objects.latest("pk").text)[1]]


PAGES = [
    Page("people", everyone=403, status=COLLEAGUES),
    Page("people", query="?q=handlaggare&roll=administrator", everyone=403, status=COLLEAGUES, draws=False),
    Page("person", args=of_owner, everyone=404, status={"owner": 200, "system_administrator": 200}),
    Page("person_forget", args=of_owner, everyone=404, status={"owner": 403, **SYSTEM}),
    Page("role_new", args=of_owner, everyone=404, status={"owner": 403, **SYSTEM}),
    Page("role_new", args=of_owner, query="?roll=principal", everyone=404, status={"owner": 403, **SYSTEM}),
    Page("role_end", args=of_role, everyone=404, status={"owner": 403, **SYSTEM}),
    Page("invite", everyone=403, status=SYSTEM),
    Page("invite", query="?roll=administrator", everyone=403, status=SYSTEM),
    Page(
        "invitation_resend",
        args=of_invitation,
        method="post",
        everyone=404,
        status={"owner": 403, "system_administrator": 302},
    ),
    Page(
        "invitation_withdraw",
        args=of_invitation,
        method="post",
        everyone=404,
        status={"owner": 403, "system_administrator": 302},
    ),
    Page("invitation", args=of_link, status={"anonymous": 200}),
    Page("me"),
    Page("tokens"),
    Page("token_revoke", args=of_key, method="post", everyone=404, status={"owner": 302}),
]
