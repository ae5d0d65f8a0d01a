"""What a role leaves behind when it ends, and how each thing is handed over.

Apps fill the slot `organisations.left_behind` with functions from a role to a list of `LeftBehind`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import chain

from django.db.models import Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from collab4m import slots
from organisations.models import Body, Role, User
from records.models import Correction, Job, Question
from records.operations import record

SLOT = "organisations.left_behind"
HandOver = Callable[[User, User | None, Body | None], None]


@dataclass(frozen=True)
class LeftBehind:
    """Something unfinished that only the person with the role follows.

    `key` names it in forms ("question-7"); `hand_over(to_user, by, on_behalf_of)` gives it to somebody else and is None
    when nobody else can take it; `otherwise` says what happens if nobody does.
    """

    key: str
    label: str
    url: str
    otherwise: str
    hand_over: HandOver | None = None

    @property
    def can_be_handed_over(self) -> bool:
        return self.hand_over is not None


def left_behind(role: Role) -> list[LeftBehind]:
    """Everything that `role` leaves behind, from every app."""
    return list(chain.from_iterable(slots.ask(SLOT, role)))


def is_last_role(role: Role) -> bool:
    """Whether the person has no other role today."""
    return not role.user.roles.on().exclude(pk=role.pk).exists()


def questions_of(role: Role) -> list[LeftBehind]:
    """Open questions that the person asked on behalf of the body; not what they say, which is case content."""
    asked = Question.objects.filter(by=role.user_id, from_body=role.body_id, closed_at=None)
    questions = asked.select_related("to_body").order_by("pk")
    return [
        LeftBehind(
            key=f"question-{question.pk}",
            label=_("Question to %(body)s, asked %(day)s")
            % {"body": question.to_body, "day": f"{localtime(question.asked_at):%Y-%m-%d}"},
            url=question.get_absolute_url(),
            otherwise=_("The answer still comes to the body, but no mail is sent about it."),
            hand_over=partial(_hand_over, question, "question.handed_over"),
        )
        for question in questions
    ]


def corrections_of(role: Role) -> list[LeftBehind]:
    """Corrections that the person proposed on behalf of the body and nobody has decided on."""
    proposed = Correction.objects.waiting().filter(by=role.user_id, from_body=role.body_id)
    corrections = proposed.select_related("owner").order_by("pk")
    return [
        LeftBehind(
            key=f"correction-{correction.pk}",
            label=_("Proposed correction to %(body)s, of %(day)s")
            % {"body": correction.owner, "day": f"{localtime(correction.at):%Y-%m-%d}"},
            url=correction.get_absolute_url(),
            otherwise=_("It can still be accepted or declined, but no mail is sent about it."),
            hand_over=partial(_hand_over, correction, "correction.handed_over"),
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
