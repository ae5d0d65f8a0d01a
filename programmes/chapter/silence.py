"""What nobody has reported, and what was last known of it."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.translation import gettext as _

from programmes.chapter.phrases import names_of, school_name
from programmes.chapter.sources import ID, Sources
from programmes.models import Answer, OfferingFact, Programme
from programmes.operations import (
    MunicipalityOffer,
    Offer,
)
from records.documents import words
from records.documents.blocks import (
    Inline,
    column,
    paragraph,
    section,
    table,
)
from records.documents.content import Content


def silence(offer: Offer, sources: Sources) -> Content:
    heading = _("What is not reported")
    silent = [list(_silent_of(offer, member)) for member in offer.members]
    rows = [row for of_member in silent for row in of_member]
    facts = list(_last_known(offer, sources))
    blocks = []
    if rows:
        blocks.append(
            table(
                f"{ID}-ej-rapporterat",
                _("Schools that have not reported their whole offer for %(year)s") % {"year": offer.year},
                [
                    column(_("Municipality"), "label"),
                    column(_("School"), "label"),
                    column(_("What has come in")),
                    column(_("Programmes without an answer")),
                ],
                rows,
                _(
                    "Answers from independent schools are asked for too, but what the municipalities lack does not "
                    "wait for them."
                ),
            )
        )
    else:
        blocks.append(paragraph(_("All schools in the area have reported their whole offer.")))
    if facts:
        blocks.append(
            table(
                f"{ID}-senast-kant",
                _("What was last known from open sources of what is not reported"),
                [
                    column(_("Municipality"), "label"),
                    column(_("School"), "label"),
                    column(_("Programme")),
                    column(_("Last known")),
                    column(_("Source")),
                ],
                facts,
                _("What was last known is no answer for the school year and is not counted in the report."),
            )
        )
    elif rows:
        blocks.append(paragraph(_("No open source that the portal has tells of what is not reported.")))
    return section(f"{ID}-inte-rapporterat", heading, *blocks)


def _silent_of(offer: Offer, member: MunicipalityOffer) -> Iterator[list[Inline]]:
    """The schools of a member that have not reported their whole offer, and the member if it should say it has none."""
    if not member.own and not member.denial:
        yield [member.municipality.name, _("no school known"), _("nothing"), _("all national programmes")]
    for one in member.schools:
        if one.is_complete:
            continue
        unknown = [
            programme.name
            for programme in offer.programmes
            if offer.at_school(one, programme).answer == Answer.NOT_REPORTED
        ]
        everything = _("all national programmes") if len(unknown) == len(offer.programmes) else names_of(unknown)
        came_in = _("part of the offer") if one.report else _("nothing")
        yield [member.municipality.name, school_name(one), came_in, everything or _("none")]


def _last_known(offer: Offer, sources: Sources) -> Iterator[list[Inline]]:
    """The last that open sources say of what is not reported; what one source says of a school stands together."""
    for member in offer.members:
        together: dict[tuple[str, str, str], list[str]] = {}
        for where, programme, fact in _facts_of(offer, member):
            answer = Answer.OFFERED if fact.offered else Answer.NOT_OFFERED
            said = f"{answer.label}, {fact.year or _('undated')}"
            code = fact.programme.code
            name = programme.name if code == programme.code else f"{programme.name} ({code})"
            together.setdefault((where, said, sources.of_fact(fact)), []).append(name)
        for (where, said, key), names in together.items():
            yield [member.municipality.name, where, names_of(names), said, words.source(sources.entries[key])]


def _facts_of(offer: Offer, member: MunicipalityOffer) -> Iterator[tuple[str, Programme, OfferingFact]]:
    """The last facts of each school, and those of none or a closed one where the municipality has not answered."""
    told: set[int] = set()
    for one in member.schools:
        for programme in offer.programmes:
            if fact := offer.at_school(one, programme).fact:
                told.add(fact.pk)
                yield school_name(one), programme, fact
    for programme in offer.programmes:
        cell = offer.at_municipality(member, programme)
        unplaced = offer.unplaced(member, programme) if cell.answer == Answer.NOT_REPORTED else None
        for fact in (cell.fact, unplaced):
            if fact and fact.pk not in told:
                told.add(fact.pk)
                yield fact.school.name if fact.school else _("school not given"), programme, fact
