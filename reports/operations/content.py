"""What a report says, collected from the apps' chapters and the texts that officials have written."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.utils import translation
from django.utils.translation import gettext as _

from collab4m.school_year import SchoolYear
from organisations.models import CollaborationArea
from records.documents import blocks
from records.documents.chapter import Chapter
from records.documents.content import Content
from records.models import Part
from reports.models import Report
from reports.outline import BASIS, CHAPTERS, MATTER, SECTIONS, Section

LANGUAGE = "sv"  # of official documents, whoever orders them


def content_of(report: Report) -> Content:
    """The report as it would be if it were made final now: the same facts and texts give the same content."""
    with translation.override(LANGUAGE):
        texts = {part.key: part for part in Part.objects.about(report).select_related("last_by")}
        chapters = {f"uppdrag-{chapter.mandate}": chapter for chapter in chapters_of(report.area, report.school_year)}
        annexes = [annex for chapter in chapters.values() for annex in chapter.annexes]
        sources = {key: source for chapter in chapters.values() for key, source in chapter.sources.items()}
        return blocks.document(
            kind=_("Report back"),
            title=report.title,
            subtitle=_("%(area)s, school year %(year)s") % {"area": report.area.name, "year": report.school_year},
            sections=[_section(section, texts, chapters, annexes) for section in SECTIONS],
            annexes=annexes,
            sources=sources,
        )


def chapters_of(area: CollaborationArea, year: SchoolYear) -> list[Chapter]:
    """The chapters of the apps that have one, by mandate. What several tell of a mandate follows in one chapter."""
    found: dict[int, Chapter] = {}
    for app in CHAPTERS:
        if apps.is_installed(app) and find_spec(f"{app}.chapter"):
            chapter = import_module(f"{app}.chapter").chapter(area, year)
            told = found.get(chapter.mandate)
            found[chapter.mandate] = _joined(told, chapter) if told else chapter
    return [found[mandate] for mandate in sorted(found)]


def _joined(first: Chapter, later: Chapter) -> Chapter:
    return Chapter(
        first.mandate,
        blocks=[*first.blocks, *later.blocks],
        sections=[*first.sections, *later.sections],
        sources={**first.sources, **later.sources},
        annexes=[*first.annexes, *later.annexes],
    )


def _section(section: Section, texts: dict[str, Part], chapters: dict[str, Chapter], annexes: list[Content]) -> Content:
    part = texts.get(section.key)
    said = blocks.written(part.text) if part else []
    if section.key == BASIS:
        said = [_basis(annexes)]
    chapter = chapters.get(section.key)
    if chapter:
        said += chapter.blocks
    elif section.key.startswith("uppdrag-"):
        said.append(blocks.note(_("Nothing has been collected in the portal about this mandate yet.")))
    elif not said and section.key != MATTER:
        said = [blocks.note(_("Nobody has written this section yet."))]
    return blocks.section(
        section.key,
        str(section.heading),
        *said,
        sections=[
            *(_section(inner, texts, chapters, annexes) for inner in section.inside),
            *(chapter.sections if chapter else ()),
        ],
        example=bool(part and part.text and part.last_by and part.last_by.example),
    )


def _basis(annexes: list[Content]) -> Content:
    named = [
        _("Annex %(number)s: %(heading)s") % {"number": number, "heading": annex["heading"]}
        for number, annex in enumerate(annexes, 1)
    ]
    return blocks.bullets(_("This memo"), *named)
