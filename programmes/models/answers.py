"""Three answers, not two, and the rule of levels: what a report says of a programme and of its orientations."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from django.db import models
from django.utils.translation import gettext_lazy as _


class Answer(models.TextChoices):
    OFFERED = "offered", _("offered")
    NOT_OFFERED = "not_offered", _("not offered")
    NOT_REPORTED = "not_reported", _("not reported")


Said = Mapping[int | None, bool]  # orientation's id, None for the programme as a whole -> whether it is offered


def about_programme(said: Said, orientations: Collection[int], complete: bool) -> Answer:
    """What a report says of a programme whose valid `orientations` are these.

    Offered if it is said of the whole or of any orientation. Not offered only if that is said of the whole or of every
    valid orientation, or if a whole offer leaves it out.
    """
    if any(said.values()):
        return Answer.OFFERED
    if said.get(None) is False or complete:
        return Answer.NOT_OFFERED
    if orientations and all(said.get(orientation) is False for orientation in orientations):
        return Answer.NOT_OFFERED
    return Answer.NOT_REPORTED


def about_orientation(said: Said, orientation: int, complete: bool) -> Answer:
    """What a report says of one orientation of a programme.

    A programme reported only as a whole does not tell which of its orientations there are, not even in a whole offer.
    """
    if orientation in said:
        return Answer.OFFERED if said[orientation] else Answer.NOT_OFFERED
    if said.get(None) is False:
        return Answer.NOT_OFFERED
    only_as_a_whole = said.get(None) is True and not any(said[key] for key in said if key is not None)
    return Answer.NOT_OFFERED if complete and not only_as_a_whole else Answer.NOT_REPORTED


def together(answers: Iterable[Answer]) -> Answer:
    """What several schools say together: one that offers is enough, and all must deny for there to be none."""
    answers = set(answers)
    if Answer.OFFERED in answers:
        return Answer.OFFERED
    return Answer.NOT_OFFERED if answers == {Answer.NOT_OFFERED} else Answer.NOT_REPORTED
