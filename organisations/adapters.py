"""How log-in speaks to people: sign-up is closed, and every mail goes through the outbox."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context as allauth_context
from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from organisations.operations import account_with
from records.messages import Message
from records.operations import send


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """People come in by invitation only."""
        return False

    def format_email_subject(self, subject: str) -> str:
        return subject

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Render allauth's mail in its reader's language and put it in the outbox, in the same transaction.

        An address that nobody logs in with is answered in the language of whoever asks.
        """
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
