"""Mail about reporting."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext_lazy as _

from collab4m.school_year import SchoolYear
from organisations.models import Body, School, User
from programmes.models import OfferingReport, ReportingDeadline
from records.messages import Message, mail_kind, render_message

REMINDER = mail_kind("programmes.reminder", _("Reminders to report what my schools offer"))


def offering_wanted(
    person: User,
    schools: Sequence[School],
    year: SchoolYear,
    *,
    from_body: Body | None,
    deadline: ReportingDeadline | None,
) -> Message:
    """To somebody who answers for schools that have not reported, with an address for each."""
    rows = [
        (school.name, f"{settings.SITE_URL}{OfferingReport(school=school, school_year=year).get_absolute_url()}")
        for school in schools
    ]
    context = {"rows": rows, "year": year, "from_body": from_body, "deadline": deadline}
    return render_message(REMINDER, person, "programmes/mails/offering_wanted.txt", context)
