"""How log-in speaks to people: sign-up is closed, and every mail goes through the outbox."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit, urlunsplit

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from allauth.mfa.adapter import DefaultMFAAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from organisations.operations import account_with
from records.messages import Message
from records.operations import send


def at_the_portal(url: str) -> str:
    """`url` with the scheme and host of SITE_URL."""
    parts = urlsplit(url)
    return settings.SITE_URL + urlunsplit(("", "", parts.path, parts.query, parts.fragment))


class AccountAdapter(DefaultAccountAdapter):
    error_messages = DefaultAccountAdapter.error_messages | {
        "duplicate_email": _("You have that address already. Write another."),
        "email_password_mismatch": _(
            "The e-mail address and the password do not belong together. Check both, or choose a new password."
        ),
        "enter_current_password": _("That is not your password. Write the one you log in with today."),
        "incorrect_password": _("That is not your password. Write the one you log in with."),
        "rate_limited": _("You have tried too many times. Try again in five minutes."),
        "too_many_login_attempts": _("You have tried too many times. Try again in five minutes."),
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People come in by invitation only."""
        return False

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("me")

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render allauth's mail in its reader's language and put it in the outbox.

        An address that nobody logs in with is answered in the language of whoever asks. Links lead to SITE_URL,
        whichever host the request named. allauth opens no transaction: the mail is on its way when this returns.
        """
        context = {key: at_the_portal(value) if key.endswith("_url") else value for key, value in context.items()}
        user = context.get("user") or account_with(email)
        language = user.language if user else translation.get_language() or settings.LANGUAGE_CODE
        request = allauth_context.request
        with translation.override(language):
            mail = self.render_mail(template_prefix, email, {"request": request, "email": email, **context})
        send(
            Message(
                kind="log_in",
                subject=str(mail.subject),
                text=f"{mail.body}\n",
                user=user,
                to=email,
                language=language,
                essential=True,
            )
        )


class SecondStepAdapter(DefaultMFAAdapter):
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("The code is not right. Write the six digits that the app shows now."),
    }
