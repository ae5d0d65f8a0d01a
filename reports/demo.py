"""The demonstration's texts in the report: written as examples, gone with all that was made final of them."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Q

from organisations.demo import AREA, TOWNS, DemoNeedsReference, address_of
from organisations.models import Municipality, User
from records.documents.content import has_examples
from records.models import Job, JobState, Part, Version
from records.operations import forget_versions, save_part
from records.subjects import types_of
from reports.models import Cover, Report
from reports.operations.building import BUILD

# Who writes what: by town, the section and its text. Nobody is invented, and there is no figure in them.
TEXTS = {
    "enkoping": (
        "sammanfattning",
        "Exempel på text. De fyra nämnderna har gett förvaltningarna i uppdrag att fördjupa samverkan om"
        " gymnasieutbildningen. Återredovisningen visar vad skolorna erbjuder, vad som saknas i varje kommun och vad"
        " ingen har rapporterat än.\n\n"
        "Förvaltningarna föreslår att nämnderna godkänner återredovisningen.",
    ),
    "vasteras": (
        "bakgrund",
        "Exempel på text. Kommunerna samverkar om gymnasieutbildningen. Nämnderna vill att eleverna ska kunna välja ur"
        " ett gemensamt utbud och har gett förvaltningarna fyra uppdrag:\n\n"
        "- skriva samverkansavtal\n- börja med konkreta samarbeten\n- ta reda på vad arbetsmarknaden behöver\n"
        "- inrätta programråd över kommungränserna",
    ),
    "eskilstuna": (
        "ekonomi",
        "Exempel på text. Återredovisningen medför inga kostnader. Vad ett gemensamt utbud skulle kosta eller spara är"
        " inte utrett. Det behöver beräknas innan nämnderna beslutar om gemensamma utbildningar.",
    ),
    "strangnas": (
        "barn",
        "Exempel på text. Ett bredare utbud ger eleverna fler vägar genom gymnasiet. Längre resor tar samtidigt tid"
        " från studier och fritid.\n\n"
        "Elever har inte fått lämna synpunkter på underlaget. Det bör de få göra innan något ändras.",
    ),
}


@transaction.atomic
def load_demo() -> int:
    """Write the examples in parts of the area's latest report where nobody has written; returns in how many.

    Needs the people and roles that organisations.demo loads. Raises DemoNeedsReference if they are not there.
    """
    report = Report.objects.filter(area__reference_key=AREA).order_by("-due", "-pk").first()
    if report is None:
        return 0
    parts = {part.key: part for part in Part.objects.about(report).filter(version=0)}
    written = 0
    for town in TOWNS:
        key, text = TEXTS[town.slug]
        if key not in parts:
            continue
        try:
            by = User.objects.get(email=address_of(f"handlaggare.{town.slug}"))
            municipality = Municipality.objects.get(code=town.code)
        except (User.DoesNotExist, Municipality.DoesNotExist) as missing:
            raise DemoNeedsReference from missing
        save_part(parts[key], text=text, base_version=0, by=by, on_behalf_of=municipality.body)
        written += 1
    return written


@transaction.atomic
def remove_demo() -> None:
    """Take away the versions that hold examples or that the demonstration's people made, and their covers.

    The clock then makes a report that is left without a version anew, from facts alone. The texts are taken away by
    organisations.demo.remove_demo.
    """
    Cover.objects.filter(Q(example=True) | Q(board__example=True)).delete()
    versions = Version.objects.filter(subject_type__in=types_of(Report()))
    theirs = versions.filter(Q(by__example=True) | Q(on_behalf_of__example=True)).values_list("pk", flat=True)
    removed = {*theirs, *(version.pk for version in versions.iterator(chunk_size=1) if has_examples(version.content))}
    builds = Job.objects.filter(kind=BUILD)
    unfinished = Q(state__in=[JobState.QUEUED, JobState.RUNNING])  # they may have read examples already
    builds.filter(unfinished | Q(result__version__in=list(removed))).delete()
    forget_versions(Version.objects.filter(pk__in=removed).defer("content"))
