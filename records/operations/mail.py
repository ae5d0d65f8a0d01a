"""The outbox: written with what it tells of, delivered by the worker, gathered for those who want it so."""

import logging
import re
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.mime.text import MIMEText
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from collab4m.clock import now
from records import mails
from records.messages import Message
from records.models import Outgoing, OutgoingState, new_message_id
from records.people import User

log = logging.getLogger(__name__)

# Minutes to wait after each attempt that failed; after the last the message is given up, most of two days later.
WAITS = (1, 5, 15, 60, 180, 720, 1440)
MAILS_PER_WAKE_UP = 50
DIGEST_HOUR = 7

# The addresses that hold a secret. Only its hash is kept elsewhere, so it leaves the outbox when its mail has gone.
SECRET_ADDRESSES = {"reply_by_link", "invitation", "account_reset_password_from_key", "account_confirm_email"}
_LINK = re.compile(r"https?://\S+")
_METHOD = re.compile(r"^METHOD:([A-Z]+)", re.MULTILINE)

# The server's trouble, whatever the message.
SERVER_ERRORS = (smtplib.SMTPAuthenticationError, smtplib.SMTPConnectError, smtplib.SMTPHeloError)
MESSAGE_ERRORS = (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused, ValueError)
WAIT_FOR_SERVER = timedelta(minutes=1)


def send(*messages: Message) -> list[Outgoing]:
    """Put messages in the outbox, in the caller's transaction.

    What a person has muted is dropped, and what they want gathered waits for the digest, unless it is essential.
    A personal link never waits there.
    """
    rows = []
    for message in messages:
        user = message.user
        if user and (not user.is_active or (message.kind in user.muted_kinds and not message.essential)):
            continue
        waits = user is not None and user.mail_rhythm != "at_once" and not message.essential
        language = message.language or (user.language if user else settings.LANGUAGE_CODE)
        rows.append(
            Outgoing(
                kind=message.kind,
                user=user,
                to=message.to or user.email,
                language=language,
                subject=message.subject,
                text=without_secrets(message.text, language) if waits else message.text,
                calendar="" if waits else message.calendar,
                message_id=new_message_id(),
                state=OutgoingState.BUNDLED if waits else OutgoingState.WAITING,
            )
        )
    return Outgoing.objects.bulk_create(rows)


def without_secrets(text: str, language: str) -> str:
    """The text of a mail without the links that let in whoever holds them."""
    with translation.override(language):
        return _LINK.sub(lambda link: _("[link removed after sending]") if _is_secret(link[0]) else link[0], text)


def _is_secret(address: str) -> bool:
    try:
        return resolve(urlsplit(address).path).url_name in SECRET_ADDRESSES
    except (Resolver404, ValueError):
        return False


def gather_digests() -> int:
    """Gather what waits into one message per person whose hour has come; returns how many. May run at any time."""
    waiting = Outgoing.objects.filter(state=OutgoingState.BUNDLED)
    people = get_user_model().objects.filter(pk__in=waiting.values("user")).order_by("pk")
    return sum(_gather(person) for person in people)


@transaction.atomic
def _gather(person: User) -> bool:
    bundled = Outgoing.objects.select_for_update(skip_locked=True).filter(
        user=person, state=OutgoingState.BUNDLED, created_at__lt=_latest_hour(person.mail_rhythm)
    )
    rows = list(bundled.order_by("created_at", "pk"))
    if not rows:
        return False
    if person.is_active:
        send(mails.digest(person, rows))
    Outgoing.objects.filter(pk__in=[row.pk for row in rows]).update(state=OutgoingState.IN_DIGEST, sent_at=now())
    return True


def _latest_hour(rhythm: str) -> datetime:
    """The latest moment at which a digest was due; what was bundled before it is to go."""
    moment = timezone.localtime(now())
    if rhythm == "at_once":
        return moment
    due = moment.replace(hour=DIGEST_HOUR, minute=0, second=0, microsecond=0)
    if due > moment:
        due -= timedelta(days=1)
    if rhythm == "weekly":
        due -= timedelta(days=due.weekday())
    return due


def deliver_mail(limit: int = MAILS_PER_WAKE_UP) -> int:
    """Deliver what is due, at most `limit` messages; returns how many went.

    Each is held by a row lock while it goes, so that two workers never take the same one, and a worker that dies
    lets go of it. When the mail server cannot be reached or lets us not in, the rest waits for the next wake-up.
    """
    sent = 0
    with _mail_server() as server:
        for _turn in range(limit):
            went = _deliver_one(server)
            if went is None:
                break
            sent += went
    return sent


@contextmanager
def _mail_server() -> Iterator[BaseEmailBackend]:
    server = get_connection()
    try:
        yield server
    finally:
        _hang_up(server)


def _hang_up(server: BaseEmailBackend) -> None:
    try:
        server.close()
    except Exception as error:
        log.warning("The mail server closed badly: %s", type(error).__name__)


@transaction.atomic
def _deliver_one(server: BaseEmailBackend) -> bool | None:
    """Deliver the message that has waited longest. None: there is none, or the server cannot be reached."""
    outgoing = Outgoing.objects.select_for_update(skip_locked=True).due().order_by("not_before", "pk").first()
    if outgoing is None:
        return None
    is_open = False
    try:
        server.open()
        is_open = True
        server.send_messages([_as_email(outgoing)])
    except Exception as error:
        _hang_up(server)  # so that the next message is not met by half a conversation
        if not is_open or isinstance(error, SERVER_ERRORS):
            _wait_for_server(outgoing, error)
            return None
        _wait_or_give_up(outgoing, error)
        return False if isinstance(error, MESSAGE_ERRORS) else None
    outgoing.attempts += 1
    outgoing.state, outgoing.sent_at, outgoing.last_error = OutgoingState.SENT, now(), ""
    outgoing.text = without_secrets(outgoing.text, outgoing.language)
    outgoing.save(update_fields=["attempts", "state", "sent_at", "last_error", "text"])
    return True


def _as_email(outgoing: Outgoing) -> EmailMessage:
    email = EmailMessage(
        subject=outgoing.subject,
        body=outgoing.text,
        from_email=settings.DEFAULT_FROM_EMAIL,
        to=[outgoing.to],
        headers={
            "Message-ID": outgoing.message_id,
            "Auto-Submitted": "auto-generated",
            "Content-Language": outgoing.language,
        },
    )
    if outgoing.calendar:
        email.attach(_as_attachment(outgoing.calendar))
    return email


def _as_attachment(calendar: str) -> MIMEText:
    """An iCalendar object as mail programs know an invitation: with its method in the head (RFC 6047)."""
    part = MIMEText(calendar, "calendar", "utf-8")
    method = _METHOD.search(calendar)
    part.set_param("method", method[1] if method else "PUBLISH")
    part.add_header("Content-Disposition", "attachment", filename="kalender.ics")
    return part


def _kind_of(error: Exception) -> str:
    """What is kept of an error: what the server answered may quote the address, so only its kind and number."""
    return f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()


def _wait_for_server(outgoing: Outgoing, error: Exception) -> None:
    """The server's trouble is no attempt of the message's."""
    outgoing.last_error = _kind_of(error)
    outgoing.not_before = now() + WAIT_FOR_SERVER
    outgoing.save(update_fields=["not_before", "last_error"])
    log.warning("The mail server could not be used: %s", outgoing.last_error)


def _wait_or_give_up(outgoing: Outgoing, error: Exception) -> None:
    outgoing.attempts += 1
    outgoing.last_error = _kind_of(error)
    if outgoing.attempts > len(WAITS):
        outgoing.state = OutgoingState.FAILED
        outgoing.text = without_secrets(outgoing.text, outgoing.language)
    else:
        outgoing.not_before = now() + timedelta(minutes=WAITS[outgoing.attempts - 1])
    outgoing.save(update_fields=["attempts", "state", "not_before", "last_error", "text"])
    log.warning(
        "Mail %s was not delivered at attempt %s: %s", outgoing.message_id, outgoing.attempts, outgoing.last_error
    )
