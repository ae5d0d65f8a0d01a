"""The catalogue and the open sources' facts, from the files that come with the portal."""

from __future__ import annotations

from pathlib import Path

from organisations.operations import Loaded, Table
from organisations.operations import load_reference as load_tables
from programmes.models import OfferingFact, Orientation, Programme, Succession
from records.models import Source

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
TABLES = (
    Table("sources", Source, ("publisher", "title", "year", "address")),
    Table(
        "programmes",
        Programme,
        ("code", "name_sv", "name_en", "kind", "curriculum", "family", "outcome_sv", "outcome_en"),
        key="code",
        same=("code",),
        told=True,
    ),
    Table(
        "orientations",
        Orientation,
        ("programme", "code", "name_sv", "name_en"),
        same=("programme_id", "name_sv"),
        told=True,
    ),
    Table(
        "successions",
        Succession,
        ("kind", "from_programme", "from_orientation", "to_programme", "to_orientation", "since"),
        same=("from_programme_id", "from_orientation_id", "to_programme_id", "to_orientation_id"),
        drops=True,
    ),
    Table(
        "offering_facts",
        OfferingFact,
        ("municipality", "school", "programme", "orientation", "year", "offered"),
        same=("municipality_id", "school_id", "programme_id", "orientation_id", "year"),
        drops=True,
    ),
)


def load_reference(*, history: bool = True) -> list[Loaded]:
    """Make catalogue, successions and known offerings what the files say. Needs the schools of `organisations`.

    All or nothing: raises BadReference, with file, line and column.
    """
    return load_tables(REFERENCE, TABLES, history=history)
