"""What comes with the portal about resources, from its files: the tree of categories, and features."""

from __future__ import annotations

from pathlib import Path

from organisations.operations import Loaded, Table
from organisations.operations import load_reference as load_tables
from records.models import Source
from resources.models import Category, Feature

REFERENCE = Path(__file__).resolve().parent.parent / "reference"
TABLES = (
    Table("sources", Source, ("publisher", "title", "year", "address")),
    Table("category_groups", Category, ("slug", "kind", "name_sv", "name_en"), key="slug", same=("slug",)),
    Table("categories", Category, ("slug", "kind", "parent", "name_sv", "name_en"), key="slug", same=("slug",)),
    Table("features", Feature, ("slug", "kind", "name_sv", "name_en"), key="slug", same=("slug",)),
)


def load_reference(*, history: bool = True) -> list[Loaded]:
    """Make the categories and features what the files say. All or nothing: raises BadReference."""
    return load_tables(REFERENCE, TABLES, history=history)
