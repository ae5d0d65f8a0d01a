"""Making something final: content and its files, all of them or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from collab4m.clock import now
from collab4m.errors import RuleBroken, refused
from records import storage
from records.documents.content import Content, check, composed, sha256_of
from records.documents.files import MadeFile, count_of_files, made_with, make_files
from records.models import Rendition, RenditionKind, Version
from records.operations.history import record
from records.people import Body, User
from records.work import RunningJob


class VersionTaken(RuleBroken):
    code = "version_taken"
    message = gettext_lazy("Another version was made final meanwhile. Read it, and order yours again if it is needed.")


def next_version(
    subject: models.Model, content: Content, *, by: User | None, on_behalf_of: Body | None = None
) -> Version:
    """What `content` would be as the next version of `subject`: checked, numbered and dated, not yet written.

    Raises ContentRefused.
    """
    check(content)
    latest = Version.objects.of(subject).first()
    return Version(
        subject_type=ContentType.objects.get_for_model(subject),
        subject_id=subject.pk,
        number=latest.number + 1 if latest else 1,
        schema=content["schema"],
        content=composed(content),
        content_sha256=sha256_of(content),
        frozen_at=now().replace(microsecond=0),
        by=by,
        on_behalf_of_id=on_behalf_of.pk if on_behalf_of else None,
        supersedes=latest,
    )


@transaction.atomic
def freeze(version: Version, files: Iterable[MadeFile | KeptFile] = ()) -> Version:
    """Make final what `next_version` prepared, with its files: all rows are written, or none.

    Raises VersionTaken if somebody else has taken its number since.
    """
    check(version.content)
    with (
        refused(version_number_once=VersionTaken, records_version_supersedes_id_key=VersionTaken),
        transaction.atomic(),
    ):
        version.save(force_insert=True)
    store_renditions(version, files)
    subject: Any = version.subject
    record(
        "version.frozen", subject, by=version.by, on_behalf_of=version.on_behalf_of,
        title=version.title, number=version.number, sha256=version.content_sha256,
    )  # fmt: skip
    return version


@dataclass(frozen=True)
class KeptFile:
    """A file that lies in the store: what its row will say. Its bytes need no memory any more."""

    kind: str
    variant: str
    name: str
    size: int
    sha256: str
    cover: Content

    @classmethod
    def of(cls, file: MadeFile) -> KeptFile:
        return cls(file.kind, file.variant, file.name, len(file.data), storage.keep(file.data), file.cover)


@transaction.atomic
def store_renditions(version: Version, files: Iterable[MadeFile | KeptFile]) -> list[Rendition]:
    """Keep files that were made of a version. A file is in the store before its row is written; the rows come together.

    A file that is the current one already, byte for byte, is not told of twice.
    """
    known = set(version.renditions.current().values_list("kind", "variant", "sha256"))
    programs = made_with()
    kept = (KeptFile.of(file) if isinstance(file, MadeFile) else file for file in files)
    return Rendition.objects.bulk_create(
        Rendition(version=version, made_with=programs, **vars(file))
        for file in kept
        if (file.kind, file.variant, file.sha256) not in known
    )


def unchanged(subject: models.Model, content: Content, covers: Mapping[str, Content] | None = None) -> Version | None:
    """The latest version of `subject`, if it says the same and has a PDF with each of these covers as they are."""
    latest = Version.objects.of(subject).first()
    if latest is None or latest.content_sha256 != sha256_of(content):
        return None
    drawn = dict(latest.renditions.current().filter(kind=RenditionKind.PDF).values_list("variant", "cover"))
    wanted = covers or {"": {}}
    return latest if all(drawn.get(variant) == cover for variant, cover in wanted.items()) else None


def make_final(
    job: RunningJob, subject: models.Model, content: Content, *, covers: Mapping[str, Content] | None = None
) -> Version:
    """Inside a job: make the files of `content`, then make it final together with the job's end.

    The same content again gives the same version; covers it did not have are added. Each PDF is sealed once. Whatever
    moment the worker dies at, there is either nothing or a version with all its files.
    Raises ContentRefused, SealUnusable, VersionTaken, JobLost.
    """
    covers = covers or {}
    version = Version.objects.of(subject).first()
    is_new = version is None or version.content_sha256 != sha256_of(content)
    if is_new:
        version = next_version(subject, content, by=job.by, on_behalf_of=job.on_behalf_of)
    assert version is not None
    files = _made(job, version, covers)
    with job.finish() as result:
        if is_new:
            freeze(version, files)
        else:
            store_renditions(version, files)
        result.update(_result(version))
    return version


def finish_files(
    job: RunningJob,
    version: Version,
    *,
    covers: Mapping[str, Content] | None = None,
    attached: Sequence[tuple[str, bytes]] = (),
    then: Callable[[list[Rendition]], Any] | None = None,
) -> None:
    """Inside a job: make the files of a version that is final already, and keep them together with the job's end.

    `attached` lie in the zips besides. `then` is called with the new rows in the same transaction.
    Raises ContentRefused, SealUnusable, JobLost.
    """
    files = _made(job, version, covers or {}, attached)
    with job.finish() as result:
        rows = store_renditions(version, files)
        if then:
            then(rows)
        result.update(_result(version))


def _made(
    job: RunningJob, version: Version, covers: Mapping[str, Content], attached: Sequence[tuple[str, bytes]] = ()
) -> list[KeptFile]:
    """Every file of the version, each PDF sealed, in the store; those it has already are not sealed anew."""
    from records.sealing import Sealer  # here: only the worker needs it, and it takes a third of a second to read

    total = count_of_files(version.content, covers) + (len(covers) or 1) + 1
    job.progress(0, total, _("Collecting the content"))
    files: list[KeptFile] = []
    sealer = Sealer()

    def sealed(pdf: MadeFile) -> MadeFile:
        """The PDF sealed: as it was, if it has been sealed before, since each sealing gives other bytes."""
        earlier = version.renditions.current() if version.pk else Rendition.objects.none()
        if earlier.filter(kind=RenditionKind.PDF, variant=pdf.variant, sha256=pdf.sha256).exists():
            row = earlier.filter(kind=RenditionKind.SEALED, variant=pdf.variant).first()
            if row is not None:
                return MadeFile(RenditionKind.SEALED, row.variant, row.name, storage.read(row.sha256), row.cover)
        return sealer.sealed(pdf)

    made = make_files(
        version.content,
        number=version.number,
        at=version.frozen_at,
        site=settings.SITE_URL,
        covers=covers,
        attached=attached,
        seal=sealed,
    )
    for done, file in enumerate(made, start=1):
        files.append(KeptFile.of(file))
        job.progress(done, total, _("Making %(name)s") % {"name": file.name})
    return files


def _result(version: Version) -> dict[str, Any]:
    return {"version": version.pk, "number": version.number, "content_sha256": version.content_sha256}
