"""The outbox: rendered for its reader, gathered when they want it so, delivered at least once, never taken twice."""

import logging
import smtplib
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import transaction

from collab4m import clock
from records import mails
from records.messages import Message, mail_kinds, render_message
from records.models import Outgoing, OutgoingState
from records.operations import deliver_mail, gather_digests, send
from tests.factories import UserFactory


def message(user, **given) -> Message:
    return Message(**{"kind": "records.question", "subject": "Hej", "text": "Text\n", "user": user, **given})


@pytest.fixture
def at(monkeypatch):
    """Set the clock of the outbox."""

    def set_clock(moment: datetime) -> None:
        for module in ("collab4m.clock", "records.models.outbox", "records.operations.mail"):
            monkeypatch.setattr(f"{module}.now", lambda: moment)

    return set_clock


def test_send_writes_a_row_and_delivers_nothing(owner):
    (row,) = send(message(owner))

    assert (row.to, row.language, row.state) == (owner.email, "sv", OutgoingState.WAITING)
    assert mail.outbox == []


def test_send_is_undone_with_what_it_tells_of(owner):
    @transaction.atomic
    def fail_after_telling() -> None:
        send(message(owner))
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_telling()

    assert not Outgoing.objects.exists()


@pytest.mark.parametrize(
    ("rhythm", "muted", "essential", "state"),
    [
        ("at_once", [], False, "waiting"),
        ("daily", [], False, "bundled"),
        ("weekly", [], False, "bundled"),
        ("weekly", [], True, "waiting"),
        ("at_once", ["records.question"], False, None),
        ("daily", ["records.question"], True, "waiting"),
        ("at_once", ["records.answer"], False, "waiting"),
    ],
)
def test_send_follows_what_the_person_has_chosen(db, rhythm, muted, essential, state):
    user = UserFactory(mail_rhythm=rhythm, muted_kinds=muted)

    rows = send(message(user, essential=essential))

    assert [row.state for row in rows] == ([state] if state else [])


def test_send_says_nothing_to_someone_who_is_gone(db):
    assert send(message(UserFactory(is_active=False), essential=True)) == []


def test_render_message_speaks_the_readers_language_and_escapes_nothing(db):
    class Row:
        subject, text = "Bygg & anläggning", "<b>1</b>"

    swedish = render_message("x", UserFactory(language="sv"), "records/mails/digest.txt", {"rows": [Row]})
    english = render_message("x", UserFactory(language="en"), "records/mails/digest.txt", {"rows": [Row]})

    assert english.subject == "1 message from collab4m"
    assert swedish.subject == "1 meddelande från collab4m"
    assert "Bygg & anläggning" in swedish.text
    assert "<b>1</b>" in swedish.text


def test_render_message_has_one_line_of_subject_whatever_is_in_it(db, tmp_path, settings):
    (tmp_path / "mail.txt").write_text("{{ title }}\nText", encoding="utf-8")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]

    made = render_message("x", "a@kommun.example", "mail.txt", {"title": "Hej\rBcc: b@kommun.example" + "å" * 300})

    assert "\r" not in made.subject
    assert len(made.subject) == 250


def test_the_kinds_of_mail_can_be_muted_by_name():
    assert {mails.QUESTION, mails.ANSWER, mails.CORRECTION, mails.CORRECTION_ANSWER} <= set(mail_kinds())


def test_deliver_mail_sends_with_a_stable_id_and_says_it_is_automatic(owner):
    (row,) = send(message(owner))

    assert deliver_mail() == 1
    assert deliver_mail() == 0

    (sent,) = mail.outbox
    assert (sent.to, sent.subject, sent.body) == ([owner.email], "Hej", "Text\n")
    assert sent.message()["Message-ID"] == row.message_id
    assert sent.message()["Auto-Submitted"] == "auto-generated"
    row.refresh_from_db()
    assert (row.state, row.attempts, row.last_error) == (OutgoingState.SENT, 1, "")


class Stubborn(EmailBackend):
    """A mail server that refuses some addresses, or answers nothing at all."""

    refuses: tuple[str, ...] = ()
    refuses_all: Exception | None = None
    is_down = False
    tried: list[str] = []

    def open(self):
        if self.is_down:
            raise ConnectionRefusedError

    def send_messages(self, messages):
        for email in messages:
            Stubborn.tried.append(email.extra_headers["Message-ID"])
            if self.refuses_all:
                raise self.refuses_all
            if email.to[0] in self.refuses:
                raise smtplib.SMTPRecipientsRefused({email.to[0]: (550, b"no such person")})
        return super().send_messages(messages)


@pytest.fixture
def server(settings, monkeypatch):
    settings.EMAIL_BACKEND = "tests.records.test_outbox.Stubborn"
    monkeypatch.setattr(Stubborn, "tried", [])
    return lambda **how: [monkeypatch.setattr(Stubborn, name, value) for name, value in how.items()]


def test_one_refused_address_stops_no_other_and_leaves_no_personal_data_in_the_log(owner, asker, server, caplog):
    server(refuses=(owner.email,))
    refused, other = send(message(owner), message(asker))

    with caplog.at_level(logging.INFO):
        assert deliver_mail() == 1

    refused.refresh_from_db()
    other.refresh_from_db()
    assert other.state == OutgoingState.SENT
    assert (refused.state, refused.attempts) == (OutgoingState.WAITING, 1)
    assert refused.not_before > clock.now() + timedelta(seconds=50)
    assert owner.email not in caplog.text + refused.last_error
    assert "Hej" not in caplog.text


def test_mail_is_tried_again_with_the_same_id_ever_more_seldom_and_then_given_up(owner, server, at):
    server(refuses=(owner.email,))
    (row,) = send(message(owner))
    moment, waits = datetime(2026, 12, 1, 12, tzinfo=UTC), []
    Outgoing.objects.update(not_before=moment)

    for _attempt in range(8):
        at(moment)
        deliver_mail()
        row.refresh_from_db()
        waits.append(round((row.not_before - moment).total_seconds() / 60))
        moment = max(row.not_before, moment)

    assert waits == [1, 5, 15, 60, 180, 720, 1440, 0]
    assert (row.state, row.attempts) == (OutgoingState.FAILED, 8)
    assert set(Stubborn.tried) == {row.message_id}


def test_a_server_that_is_down_is_not_asked_once_per_message(owner, server):
    server(is_down=True)
    send(*[message(owner)] * 3)

    assert deliver_mail() == 0
    assert len(Stubborn.tried) == 0
    assert sorted(Outgoing.objects.values_list("attempts", flat=True)) == [0, 0, 0]

    server(is_down=False)
    Outgoing.objects.update(not_before=clock.now())
    assert deliver_mail() == 3


@pytest.mark.parametrize(
    "error",
    [
        smtplib.SMTPAuthenticationError(535, b"no"),
        smtplib.SMTPConnectError(421, b"no"),
        smtplib.SMTPHeloError(501, b"no"),
    ],
)
def test_what_the_server_refuses_everyone_is_no_attempt_of_a_message(owner, asker, server, error):
    server(refuses_all=error)
    send(message(owner), message(asker))

    for _wake_up in range(10):
        Outgoing.objects.update(not_before=clock.now())
        assert deliver_mail() == 0

    assert len(Stubborn.tried) == 10
    assert set(Outgoing.objects.values_list("attempts", "state")) == {(0, OutgoingState.WAITING)}


def test_a_message_that_makes_the_server_hang_up_is_given_up_in_the_end(owner, server):
    server(refuses_all=smtplib.SMTPServerDisconnected())
    send(message(owner))

    for _wake_up in range(8):
        Outgoing.objects.update(not_before=clock.now())
        deliver_mail()

    assert set(Outgoing.objects.values_list("attempts", "state")) == {(8, OutgoingState.FAILED)}


SECRET_LINKS = (
    "https://portal.example/inbjudan/abc/",
    "https://portal.example/konto/password/reset/key/3-abcdef-0123/",
    "https://portal.example/konto/confirm-email/MQ:1abc:def/",
    "https://portal.example/fragor/svar/abc/",
)


@pytest.mark.parametrize("link", SECRET_LINKS)
@pytest.mark.parametrize("rhythm", ["at_once", "daily"])
def test_a_link_that_lets_anyone_in_is_never_kept_when_its_mail_has_gone(owner, link, rhythm):
    owner.mail_rhythm = rhythm
    text = f"Öppna länken:\n{link}\n\nhttps://portal.example/fragor/7/\n"

    (row,) = send(message(owner, text=text))
    deliver_mail()

    row.refresh_from_db()
    assert row.text == "Öppna länken:\n[länken togs bort efter utskicket]\n\nhttps://portal.example/fragor/7/\n"
    assert [sent.body for sent in mail.outbox] == ([text] if rhythm == "at_once" else [])


@pytest.mark.parametrize(
    ("rhythm", "moments"),
    [
        # in Swedish winter time 7.00 is 6.00 UTC; 2026-11-30 is a Monday
        ("daily", {"2026-11-25 05:59": 0, "2026-11-25 06:00": 1, "2026-11-25 06:01": 0}),
        ("weekly", {"2026-11-25 06:00": 0, "2026-11-29 23:00": 0, "2026-11-30 05:59": 0, "2026-11-30 06:00": 1}),
    ],
)
def test_digests_go_at_seven_in_sweden_once(db, at, rhythm, moments):
    person = UserFactory(mail_rhythm=rhythm)
    send(message(person, subject="Ett"), message(person, subject="Två"))
    Outgoing.objects.update(created_at=datetime(2026, 11, 24, 12, tzinfo=UTC))

    for moment, sent in moments.items():
        at(datetime.fromisoformat(moment).replace(tzinfo=UTC))
        assert gather_digests() == sent, moment

    digest = Outgoing.objects.get(kind="records.digest")
    assert digest.state == OutgoingState.WAITING
    assert digest.text.index("1. Ett") < digest.text.index("2. Två")
    assert set(Outgoing.objects.exclude(pk=digest.pk).values_list("state", flat=True)) == {"in_digest"}


def test_what_waited_goes_soon_when_the_person_wants_mail_at_once_again(db):
    person = UserFactory(mail_rhythm="weekly")
    send(message(person))
    person.mail_rhythm = "at_once"
    person.save()

    assert gather_digests() == 1


def test_a_digest_is_one_per_person(db, at):
    people = [UserFactory(mail_rhythm="daily") for _ in range(3)]
    send(*(message(person) for person in people * 2))
    Outgoing.objects.update(created_at=datetime(2026, 11, 24, 12, tzinfo=UTC))
    at(datetime(2026, 11, 25, 7, tzinfo=UTC))

    assert gather_digests() == 3
    assert Outgoing.objects.filter(kind="records.digest").count() == 3
