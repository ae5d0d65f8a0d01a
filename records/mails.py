"""Mail about questions and corrections, and the digest that gathers mail for those who want it so."""

from collections.abc import Iterable

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from records.messages import Message, mail_kind, render_message
from records.models import Correction, Outgoing, Question, Reply
from records.people import User

QUESTION = mail_kind("records.question", _("Questions to the bodies you answer for"))
ANSWER = mail_kind("records.answer", _("Answers to questions you have asked"))
CORRECTION = mail_kind("records.correction", _("Proposals to correct a figure you answer for"))
CORRECTION_ANSWER = mail_kind("records.correction_answer", _("Answers to corrections you have proposed"))
DIGEST = "records.digest"


def _address(path: str) -> str:
    return f"{settings.SITE_URL}{path}"


def digest(person: User, rows: Iterable[Outgoing]) -> Message:
    return render_message(DIGEST, person, "records/mails/digest.txt", {"rows": list(rows)}, essential=True)


def question_asked(question: Question, person: User, token: str | None, reply: Reply | None = None) -> Message:
    """To one who may answer, with the personal link if there is one; `reply` is what the asker has added since."""
    context = {
        "question": question,
        "reply": reply,
        "subject": question.subject,
        "question_address": _address(question.get_absolute_url()),
        "answer_address": _address(reverse("reply_by_link", args=[token])) if token else "",
    }
    return render_message(QUESTION, person, "records/mails/question_asked.txt", context)


def question_answered(question: Question, reply: Reply, person: User) -> Message:
    context = {"question": question, "reply": reply, "question_address": _address(question.get_absolute_url())}
    return render_message(ANSWER, person, "records/mails/question_answered.txt", context)


def correction_proposed(correction: Correction, person: User) -> Message:
    context = {"correction": correction, "correction_address": _address(correction.get_absolute_url())}
    return render_message(CORRECTION, person, "records/mails/correction_proposed.txt", context)


def correction_answered(correction: Correction, person: User) -> Message:
    context = {"correction": correction, "correction_address": _address(correction.get_absolute_url())}
    return render_message(CORRECTION_ANSWER, person, "records/mails/correction_answered.txt", context)
