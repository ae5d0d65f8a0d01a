"""What people are told by mail about invitations and roles."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from organisations.models import Invitation, Role, User
from records.messages import Message, mail_kind, render_message

mail_kind("role.given", _("I am given a role"))
mail_kind("role.handed_over", _("I take over something from a person whose role ends"))


def invitation_sent(invitation: Invitation, secret: str) -> Message:
    """The link, in the language chosen by whoever invites. It is the only place where the secret is written."""
    return render_message(
        "invitation",
        invitation.email,
        "organisations/mails/invitation_sent.txt",
        {"invitation": invitation, "link": settings.SITE_URL + reverse("invitation", args=[secret])},
        language=invitation.language,
        essential=True,
    )


def role_given(role: Role) -> Message:
    return render_message(
        "role.given",
        role.user,
        "organisations/mails/role_given.txt",
        {"role": role, "link": settings.SITE_URL + reverse("me")},
    )


def role_ended(role: Role) -> Message:
    """Essential: nobody should find out by being locked out."""
    return render_message(
        "role.ended",
        role.user,
        "organisations/mails/role_ended.txt",
        {"role": role, "link": settings.SITE_URL + reverse("me")},
        essential=True,
    )


def role_handed_over(role: Role, heir: User, things: Sequence[tuple[str, str]]) -> Message:
    """What `heir` now follows in the place of the person whose role ends: labels, each with its address."""
    return render_message(
        "role.handed_over",
        heir,
        "organisations/mails/role_handed_over.txt",
        {"role": role, "things": [(label, settings.SITE_URL + url) for label, url in things]},
    )
