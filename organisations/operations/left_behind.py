"""What a role leaves behind when it ends, and how each thing is handed over.

Apps fill the slot `organisations.left_behind` with functions from a role to a list of `LeftBehind`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

from django.db.models import Model, Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from collab4m import slots
from organisations.models import Body, Role, User
from records.models import Correction, Job, Question
from records.operations import record
from records.people import answering_for

SLOT = "organisations.left_behind"
HandOver = Callable[[User, User | None, Body | None], None]


@dataclass(frozen=True)
class LeftBehind:
    """Something unfinished that only the person with the role follows.

    `key` names it in forms ("question-7"); `hand_over(to_user, by, on_behalf_of)` gives it to somebody else;
    `otherwise` says what happens if nobody takes it. `subject` is what `url` leads to, which not everyone may see.
    """

    key: str
    label: str
    url: str
    otherwise: str
    hand_over: HandOver
    subject: Model | None = None


def left_behind(role: Role) -> list[LeftBehind]:
    """Everything that `role` leaves behind, from every app; what is called the same is numbered."""
    things = list(chain.from_iterable(slots.ask(SLOT, role)))
    alike, met = Counter(thing.label for thing in things), Counter[str]()
    for place, thing in enumerate(things):
        if alike[thing.label] > 1:
            met[thing.label] += 1
            number = _("%(label)s, number %(number)s") % {"label": thing.label, "number": met[thing.label]}
            things[place] = replace(thing, label=number)
    return things


def visible_among(things: Iterable[LeftBehind], user: User) -> set[str]:
    """The keys of those that `user` may open."""
    by_model: dict[type[Model], dict[int, str]] = defaultdict(dict)
    for thing in things:
        if thing.subject:
            by_model[type(thing.subject)][thing.subject.pk] = thing.key
    found: set[str] = set()
    for model, keys in by_model.items():
        visible = model._default_manager.visible_to(user).filter(pk__in=keys)  # type: ignore[attr-defined]
        found |= {keys[pk] for pk in visible.values_list("pk", flat=True)}
    return found


def is_last_role(role: Role) -> bool:
    """Whether the person has no other role today."""
    return not role.user.roles.on().exclude(pk=role.pk).exists()


def _colleagues_remain(role: Role) -> bool:
    """Whether somebody else answers for the body today, and so gets the mail when the person no longer does."""
    return role.body is not None and answering_for(role.body).exclude(pk=role.user_id).exists()


def questions_of(role: Role) -> list[LeftBehind]:
    """Open questions that the person asked on behalf of the body; not what they say, which is case content."""
    asked = Question.objects.filter(by=role.user_id, from_body=role.body_id, closed_at=None)
    questions = asked.select_related("to_body").order_by("pk")
    otherwise = (
        _("The answer then goes to everyone who acts for the body.")
        if _colleagues_remain(role)
        else _("The answer still comes to the body, but there is nobody to send mail about it to.")
    )
    return [
        LeftBehind(
            key=f"question-{question.pk}",
            label=_("Question to %(body)s, asked %(day)s")
            % {"body": question.to_body, "day": f"{localtime(question.asked_at):%Y-%m-%d}"},
            url=question.get_absolute_url(),
            otherwise=otherwise,
            hand_over=partial(_hand_over, question, "question.handed_over"),
            subject=question,
        )
        for question in questions
    ]


def corrections_of(role: Role) -> list[LeftBehind]:
    """Corrections that the person proposed on behalf of the body and nobody has decided on."""
    proposed = Correction.objects.waiting().filter(by=role.user_id, from_body=role.body_id)
    corrections = proposed.select_related("owner").order_by("pk")
    otherwise = (
        _("Whether it is accepted or declined is then told to everyone who acts for the body.")
        if _colleagues_remain(role)
        else _("It can still be accepted or declined, but there is nobody to send mail about it to.")
    )
    return [
        LeftBehind(
            key=f"correction-{correction.pk}",
            label=_("Proposed correction to %(body)s, of %(day)s")
            % {"body": correction.owner, "day": f"{localtime(correction.at):%Y-%m-%d}"},
            url=correction.get_absolute_url(),
            otherwise=otherwise,
            hand_over=partial(_hand_over, correction, "correction.handed_over"),
            subject=correction,
        )
        for correction in corrections
    ]


def jobs_of(role: Role) -> list[LeftBehind]:
    """Unfinished jobs that the person ordered for the body, or for nobody if this is the last role."""
    for_the_body = Q(on_behalf_of=role.body_id) if role.body_id else Q(pk=None)
    for_nobody = Q(on_behalf_of=None) if is_last_role(role) else Q(pk=None)
    jobs = Job.objects.unfinished().filter(for_the_body | for_nobody, by=role.user_id).order_by("pk")
    return [
        LeftBehind(
            key=f"job-{job.pk}",
            label=_("Unfinished job %(number)s, ordered %(day)s")
            % {"number": job.pk, "day": f"{localtime(job.created_at):%Y-%m-%d}"},
            url=job.get_absolute_url(),
            otherwise=_("It is carried out all the same, but nobody is told."),
            hand_over=partial(_hand_over, job, "job.handed_over"),
            subject=job,
        )
        for job in jobs
    ]


def _hand_over(
    thing: Question | Correction | Job, event: str, to_user: User, by: User | None, on_behalf_of: Body | None
) -> None:
    before = thing.by
    thing.by = to_user
    thing.save(update_fields=["by"])
    record(event, thing, by=by, on_behalf_of=on_behalf_of, left_by=str(before), taken_by=str(to_user))


FILLERS = (questions_of, corrections_of, jobs_of)
