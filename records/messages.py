"""Messages to people: what kinds there are, and how one is rendered in its reader's language."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template import Context
from django.template.loader import get_template
from django.utils import translation
from django.utils.functional import Promise

from records.people import User

SUBJECT_LENGTH = 250

_kinds: dict[str, Promise | str] = {}


@dataclass(frozen=True)
class Message:
    """A message as its reader will see it. Address and language are the user's unless said.

    `kind` is what a person may mute. `essential` messages cannot be muted and never wait for a digest. `calendar` is an
    iCalendar object that goes with the mail when it goes at once.
    """

    kind: str
    subject: str
    text: str
    user: User = None
    to: str = ""
    language: str = ""
    essential: bool = False
    calendar: str = ""


def mail_kind(name: str, label: Promise | str) -> str:
    """Let people choose whether they want mail of this kind; called when an app's `mails.py` is read."""
    _kinds[name] = label
    return name


def mail_kinds() -> dict[str, Promise | str]:
    """The kinds of mail a person may mute, by name, with their labels."""
    return dict(_kinds)


def render_message(
    kind: str,
    user_or_email: User | str,
    template: str,
    context: dict[str, Any],
    *,
    language: str = "",
    essential: bool = False,
    calendar: str = "",
) -> Message:
    """Render `template` (the first line is the subject) in the reader's language, as plain text."""
    user = None if isinstance(user_or_email, str) else user_or_email
    language = language or (user.language if user else settings.LANGUAGE_CODE)
    with translation.override(language):
        # Plain text: nothing is escaped, or "Bygg & anläggning" would arrive as "Bygg &amp; anläggning".
        rendered = get_template(template).template.render(  # type: ignore[attr-defined]
            Context({"user": user, "site_url": settings.SITE_URL, **context}, autoescape=False)
        )
    subject, _newline, text = rendered.strip().partition("\n")
    return Message(
        kind=kind,
        subject=" ".join(subject.split())[:SUBJECT_LENGTH],
        text=text.strip() + "\n",
        user=user,
        to=user.email if user else str(user_or_email),
        language=language,
        essential=essential,
        calendar=calendar,
    )
