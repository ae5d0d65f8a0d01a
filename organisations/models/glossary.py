"""The words of the field, one per thing."""

from __future__ import annotations

from django.db import models
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from organisations.models.bodies import DirectoryQuerySet
from records.models import Dated, Sourced


class GlossaryEntry(Sourced, Dated):
    """A word that officials use, its English, and its name in the code."""

    name = models.CharField(_("word"), max_length=120)
    name_en = models.CharField(_("in English"), max_length=200)
    code_name = models.CharField(_("name in the code"), max_length=120, blank=True)
    meaning = models.TextField(_("meaning"), blank=True)

    objects = DirectoryQuerySet.as_manager()

    class Meta:
        verbose_name = _("word")
        verbose_name_plural = _("glossary")

    def __str__(self) -> str:
        return self.name

    @property
    def anchor(self) -> str:
        return slugify(self.name, allow_unicode=True)

    def get_absolute_url(self) -> str:
        return f"{reverse('glossary')}#{self.anchor}"
