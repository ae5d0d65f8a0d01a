"""Asking the neighbour: a question to another body's administrators, kept with what it is about."""

import secrets
from collections.abc import Iterable
from datetime import timedelta
from hashlib import sha256

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from collab4m.clock import now
from collab4m.errors import RuleBroken, refused
from records import mails
from records.models import AnswerLink, Question, Reply
from records.operations.history import record
from records.operations.mail import send
from records.people import ACTING, Body, User, answering_for, speaking_for, still_answering
from records.subjects import is_askable, is_visible

ANSWER_LINK_DAYS = 30


class NotYourBody(RuleBroken):
    code = "not_your_body"
    message = _("You do not act for that body today. Choose one that you act for.")


class NobodyAnswers(RuleBroken):
    code = "nobody_answers"
    message = _("Nobody who may see this answers for that body in the portal yet. Choose another one.")


class NotAskable(RuleBroken):
    code = "not_askable"
    message = _("Questions are not asked about this.")


class AskedOneself(RuleBroken):
    code = "asked_oneself"
    message = _("That is the body you ask for. Choose another one.")


class QuestionClosed(RuleBroken):
    code = "question_closed"
    message = _("The question has been closed. Ask a new one if something remains.")


@transaction.atomic
def ask_question(
    subject: models.Model, *, to_body: Body, title: str, text: str, by: User, on_behalf_of: Body
) -> Question:
    """Ask the people who answer for `to_body` about `subject`; each gets mail with a personal link to answer through.

    Raises NotYourBody, NotAskable, AskedOneself, and NobodyAnswers if none of them may see the subject.
    """
    if not is_askable(subject):
        raise NotAskable
    if on_behalf_of.pk not in by.bodies_where(*ACTING):
        raise NotYourBody(field="on_behalf_of")
    with refused(question_to_another_body=AskedOneself), transaction.atomic():
        question = Question.objects.create(
            subject=subject,
            from_body_id=on_behalf_of.pk,
            to_body_id=to_body.pk,
            by=by,
            title=title,
            text=text,
        )
    people = _those_asked(question, subject, by)
    if not people:
        raise NobodyAnswers(field="to_body")
    record(
        "question.asked", question, by=by, on_behalf_of=on_behalf_of,
        title=title, to_body=str(question.to_body), about=str(subject),
    )  # fmt: skip
    _ask(question, people)
    return question


def _those_asked(question: Question, subject: models.Model | None, by: User) -> list[User]:
    """Who answers for the body asked and may see what is asked about.

    Not `by`, who wrote it, nor those who could only answer as the body that asks: a municipality asks its own school.
    """
    people = [
        person
        for person in answering_for(question.to_body)
        if person != by and any(pk != question.from_body_id for pk in speaking_for(person, question.to_body))
    ]
    return [person for person in people if subject is None or is_visible(subject, person)]


def _ask(question: Question, people: Iterable[User], reply: Reply | None = None) -> None:
    """Mail with a personal link to each; without it to those who want their mail gathered, where it would lie about."""
    expires_at = now() + timedelta(days=ANSWER_LINK_DAYS)
    for person in people:
        token = secrets.token_urlsafe(32) if person.mail_rhythm == "at_once" else None
        if token:
            AnswerLink.objects.create(question=question, user=person, token_sha256=hashed(token), expires_at=expires_at)
        send(mails.question_asked(question, person, token, reply))


def hashed(token: str) -> str:
    """What is kept of an answer link's token."""
    return sha256(token.encode()).hexdigest()


@transaction.atomic
def reply_to_question(
    question: Question, *, text: str, by: User, on_behalf_of: Body, through_mail_link: bool = False
) -> Reply:
    """Write in a question's thread: an answer from the body asked, or something more from the one that asks.

    Raises QuestionClosed, and NotYourBody if `by` speaks for neither side as `on_behalf_of`.
    """
    question = Question.objects.select_for_update().get(pk=question.pk)
    if question.closed_at:
        raise QuestionClosed
    is_answer = _answers(question, by, on_behalf_of)
    reply = Reply.objects.create(
        question=question, text=text, by=by, on_behalf_of_id=on_behalf_of.pk, through_mail_link=through_mail_link
    )
    question.answered_at = reply.at if is_answer else None
    question.save(update_fields=["answered_at"])
    record(
        "question.answered" if is_answer else "question.added_to", question, by=by, on_behalf_of=on_behalf_of,
        title=question.title, through_mail_link=int(through_mail_link),
    )  # fmt: skip
    if is_answer:
        askers = still_answering(question.by, question.from_body)
        send(*(mails.question_answered(question, reply, person) for person in askers if person != by))
    else:
        _ask(question, _those_asked(question, question.subject, by), reply)
    return reply


def _answers(question: Question, by: User, on_behalf_of: Body) -> bool:
    """Whether what `by` writes as `on_behalf_of` answers the question, rather than adds to it."""
    asked, asking = speaking_for(by, question.to_body), speaking_for(by, question.from_body)
    if on_behalf_of.pk not in asked + asking:
        raise NotYourBody(field="on_behalf_of")
    return on_behalf_of.pk != question.from_body_id and on_behalf_of.pk in asked


@transaction.atomic
def close_question(question: Question, *, by: User, on_behalf_of: Body) -> Question:
    """The asking body needs no more. Raises QuestionClosed if it already is, NotYourBody if it is not theirs."""
    question = Question.objects.select_for_update().get(pk=question.pk)
    if question.closed_at:
        raise QuestionClosed
    if on_behalf_of.pk not in speaking_for(by, question.from_body):
        raise NotYourBody
    question.closed_at = now()
    question.save(update_fields=["closed_at"])
    record("question.closed", question, by=by, on_behalf_of=on_behalf_of, title=question.title)
    return question
