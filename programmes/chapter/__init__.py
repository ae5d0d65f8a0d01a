"""The report's chapter on the first mandate: what is taught where, what is missing, and what nobody has reported."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea
from programmes.chapter.annexes import matrix, whole_list
from programmes.chapter.flows import flows_section
from programmes.chapter.missing import Missing
from programmes.chapter.silence import silence
from programmes.chapter.sources import Sources
from programmes.operations import NATIONAL, Offer, gaps_of_area
from records.documents.blocks import note
from records.documents.chapter import Chapter

MANDATE = 1


def chapter(area: CollaborationArea, school_year: SchoolYear) -> Chapter:
    """What the area's schools offer in a school year, as an outsider may see it. Thirteen queries at most."""
    outsider = AnonymousUser()
    offer, gaps = gaps_of_area(area, school_year, reader=outsider, kinds=NATIONAL)
    if not offer.members or not offer.programmes:
        return Chapter(MANDATE, [note(_nothing_to_tell(offer))], [], {})
    sources = Sources(offer)
    missing = Missing(offer, gaps, sources)
    return Chapter(
        MANDATE,
        blocks=missing.findings(),
        sections=[
            *(missing.section_of(home, found) for home, found in zip(offer.members, gaps, strict=True)),
            silence(offer, sources),
            flows_section(offer, sources, outsider),
        ],
        sources=sources.entries,
        annexes=[matrix(offer, sources), whole_list(offer, sources)],
    )


def _nothing_to_tell(offer: Offer) -> str:
    if not offer.members:
        return _("The area had no members in the school year %(year)s.") % {"year": offer.year}
    return _("The catalogue has no national programmes for the school year %(year)s.") % {"year": offer.year}
