"""What questions, corrections and jobs show on the start page, in search and in the menu."""

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from collab4m.cards import MOST_HITS, Hit, NavItem, StartCards, Todo
from collab4m.swedish import matching
from records.models import Correction, Question


def start_cards(user: Any) -> StartCards:
    """Questions to answer and corrections to decide; a week is what each is given."""
    questions = Question.objects.visible_to(user).waiting_for(user).select_related("from_body", "to_body")
    corrections = Correction.objects.visible_to(user).waiting_for(user)
    corrections = corrections.select_related("from_body", "owner", "subject_type")
    return StartCards(
        todos=[
            *(_answer(question) for question in questions.order_by("asked_at", "pk")),
            *(_decide(correction) for correction in corrections.order_by("at", "pk")),
        ]
    )


def _answer(question: Question) -> Todo:
    return Todo(
        title=_("Answer the question: %(title)s") % {"title": question.title},
        url=question.get_absolute_url(),
        why=_("%(body)s asks about %(subject)s and hopes for an answer within a week.")
        % {"body": question.from_body, "subject": question.subject_name},
        verb=_("Answer"),
        due=question.due,
        for_body=str(question.to_body),
    )


def _decide(correction: Correction) -> Todo:
    return Todo(
        title=_("Decide on a correction: %(label)s for %(subject)s")
        % {"label": correction.label, "subject": correction.subject_name},
        url=correction.get_absolute_url(),
        why=_("%(body)s proposes %(proposed)s instead of %(then)s, and hopes for an answer within a week.")
        % {"body": correction.from_body, "then": correction.shown_then, "proposed": correction.shown_proposed},
        verb=_("Decide"),
        due=correction.due,
        for_body=str(correction.owner),
    )


def search(user: Any, words: str) -> list[Hit]:
    found = matching(Question.objects.visible_to(user).select_related("from_body", "to_body"), words, "title", "text")
    return [
        Hit(
            title=question.title,
            url=question.get_absolute_url(),
            kind=_("Questions"),
            text=_("%(from_body)s to %(to_body)s about %(subject)s")
            % {"from_body": question.from_body, "to_body": question.to_body, "subject": question.subject_name},
        )
        for question in found[:MOST_HITS]
    ]


def nav(user: Any) -> list[NavItem]:
    return [NavItem(label=_("Questions"), url=reverse("questions"), prefix="/fragor/")] if user.bodies_today() else []
