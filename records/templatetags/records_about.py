"""What an object's page says of questions, corrections and history: `{% load records_about %}{% about object %}`."""

from typing import Any

from django import template
from django.urls import reverse

from records.histories import lines_of
from records.models import Correction, Event, Question, figures_of
from records.subjects import is_askable, reference

register = template.Library()

MOST_SHOWN = 5


@register.inclusion_tag("records/about.html", takes_context=True)
def about(context: Any, subject: Any) -> dict[str, Any]:
    """Questions the reader may see, corrections that wait beside what stands today, and links to history and to asking.

    Two queries.
    """
    user = getattr(context.get("request"), "user", None) or context.get("user")
    if user is None or not user.is_authenticated:
        return {"shown": False}
    questions = Question.objects.visible_to(user).about(subject).select_related("from_body", "to_body")
    corrections = Correction.objects.visible_to(user).about(subject).waiting()
    waiting = corrections.select_related("from_body", "owner", "subject_type").order_by("at")[:MOST_SHOWN]
    may_ask = is_askable(subject) and user.has_perm("records.ask_question")
    may_correct = bool(figures_of(subject)) and user.has_perm("records.propose_correction")
    return {
        "shown": True,
        "questions": list(questions.order_by("-asked_at", "-pk")[:MOST_SHOWN]),
        "corrections": [(correction, correction.shown_on(subject)) for correction in waiting],
        "may_ask": may_ask,
        "may_correct": may_correct,
        "may_do_something": may_ask or may_correct,
        "reference": reference(subject),
        "history_address": _history_of(subject),
    }


@register.inclusion_tag("records/recent.html", takes_context=True)
def recent(context: Any, subject: Any, history: bool = False) -> dict[str, Any]:
    """The latest that happened to an object, as far as the reader may know of it.

    `history`: with the way to all of it, on a page that does not show `about`.
    """
    user = getattr(context.get("request"), "user", None) or context.get("user")
    if user is None or not user.is_authenticated:
        return {"shown": False}
    events = Event.objects.seen_by(user, subject).order_by("-at", "-pk")[:MOST_SHOWN]
    return {"shown": True, "lines": lines_of(events), "history_address": _history_of(subject) if history else ""}


def _history_of(subject: Any) -> str:
    return reverse("history", args=[subject._meta.app_label, subject._meta.model_name, subject.pk])
