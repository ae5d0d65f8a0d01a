"""Whether something was made final here: content or a file, by its hash."""

import re
from dataclasses import dataclass
from typing import Any

from django.db.models import OuterRef, Prefetch, Q, Subquery

from records.documents.content import has_examples
from records.models import Decision, Rendition, SignOff, Version

MOST_MATCHES = 20
_SHA256 = re.compile(r"[0-9a-f]{64}")


def hash_in(text: str) -> str | None:
    """The hash that somebody typed or pasted, in groups or whole; None if it is none."""
    found = re.sub(r"[\s\u00a0-]", "", text).lower()
    return found if _SHA256.fullmatch(found) else None


class Sha256Converter:
    """A hash in an address."""

    regex = "[0-9a-f]{64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


@dataclass(frozen=True)
class Match:
    """A version with this content, or a file made of one.

    `later` is the latest version of the same subject, unless this is it; `has_later_cover` says that the same version
    has a later file of the same kind, with another cover. `stands` when it is signed by all whom it concerns, and holds
    whatever later versions say.
    """

    version: Version
    rendition: Rendition | None
    later: Version | None
    has_later_cover: bool
    stands: bool = False

    @property
    def is_current(self) -> bool:
        return (self.stands or self.later is None) and not self.has_later_cover

    @property
    def decisions(self) -> list[Decision]:
        """What each body decided about the content, by its day."""
        return list(self.version.decisions.all())

    @property
    def sign_offs(self) -> list[SignOff]:
        """Who has signed it, by the day. Of whom only the body is told, to whoever asks."""
        return list(self.version.sign_offs.all())

    @property
    def is_example(self) -> bool:
        return has_examples(self.version.content)


def matches(sha256: str) -> list[Match]:
    """What has this hash, current first: none means that it was not made here."""
    renditions = list(Rendition.objects.filter(sha256=sha256).order_by("-pk")[:MOST_MATCHES])
    current = set(Rendition.objects.current().filter(sha256=sha256).values_list("pk", flat=True))
    has_it = Q(content_sha256=sha256) | Q(pk__in=[rendition.version_id for rendition in renditions])
    later = Version.objects.filter(
        subject_type=OuterRef("subject_type"), subject_id=OuterRef("subject_id"), number__gt=OuterRef("number")
    ).order_by("-number")
    decisions = Decision.objects.standing().select_related("body").order_by("day", "pk")
    sign_offs = SignOff.objects.select_related("body").order_by("day", "pk")
    versions = (
        Version.objects.filter(has_it)
        .order_by("-pk")
        .annotate(later_pk=Subquery(later.values("pk")[:1]))
        .prefetch_related(Prefetch("decisions", decisions), Prefetch("sign_offs", sign_offs))
    )
    known = {version.pk: version for version in versions}
    latest = Version.objects.in_bulk([version.later_pk for version in known.values() if version.later_pk])
    found = [
        Match(version, None, latest.get(version.later_pk), has_later_cover=False, stands=_stands(version))
        for version in known.values()
        if version.content_sha256 == sha256
    ]
    for rendition in renditions:
        version = known[rendition.version_id]
        later_version, has_later_cover = latest.get(version.later_pk), rendition.pk not in current
        found.append(Match(version, rendition, later_version, has_later_cover, _stands(version)))
    return sorted(found, key=lambda match: not match.is_current)


def _stands(version: Version) -> bool:
    """Whether what the version is of says that it stands: only what somebody has signed can."""
    subject: Any = version.subject if version.sign_offs.all() else None
    return hasattr(subject, "version_stands") and subject.version_stands(version)
