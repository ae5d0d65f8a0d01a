"""The categories and features that come with the portal."""

import pytest
from django.utils import translation

from resources.models import Category, Feature, ResourceKind
from resources.operations import load_reference

pytestmark = pytest.mark.django_db


def test_load_reference_a_second_time_writes_nothing():
    first = load_reference()

    second = load_reference()

    assert [(one.file, one.created) for one in first] == [(one.file, one.rows) for one in second]
    assert {(one.created, one.changed, one.ended, one.left) for one in second} == {(0, 0, 0, 0)}


def test_the_tree_has_two_levels_of_one_kind_each():
    load_reference()

    groups = Category.objects.filter(parent=None)
    leaves = Category.objects.exclude(parent=None)
    assert set(groups.values_list("kind", flat=True)) == set(ResourceKind.values)
    assert all(leaf.parent.parent is None and leaf.parent.kind == leaf.kind for leaf in leaves)
    assert set(groups) == {leaf.parent for leaf in leaves}


def test_what_comes_with_the_portal_says_so():
    load_reference()

    for model in (Category, Feature):
        assert set(model.objects.values_list("source__publisher", "came_in", "verified")) == {
            ("Portalen", "reference", False)
        }


def test_a_name_is_said_in_the_readers_language():
    load_reference()

    hook = Feature.objects.get(slug="dragkrok")
    with translation.override("en"):
        assert (hook.name, hook.name_lang) == ("Tow bar", "en")
    with translation.override("sv"):
        assert (hook.name, hook.name_lang) == ("Dragkrok", "sv")
