"""Pictures of resources: judged by opening them, made anew without what they tell of their maker, kept by hash."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from PIL import Image, ImageCms, ImageOps

from collab4m.errors import RuleBroken
from organisations.models import Body, User
from records import storage
from records.models import Attachment, Rendition
from records.operations import record
from resources.models import Picture, Resource
from resources.operations.sharing import to_change

MOST_PICTURES = 8
MOST_SIDE = 1600  # pixels
MOST_PIXELS = 60_000_000  # of what comes in: more than telephones take, and what memory bears
FORMATS = ("JPEG", "PNG", "WEBP")
JPEG_QUALITY = 85
LONGEST_ALT = 300


class PictureRefused(RuleBroken):
    code = "picture_refused"


class TooManyPictures(RuleBroken):
    code = "too_many_pictures"
    message = gettext_lazy("A resource has eight pictures at most. Remove one of them first.")


class PictureGone(RuleBroken):
    code = "picture_gone"
    message = gettext_lazy("Somebody has removed the picture.")


@transaction.atomic
def add_picture(resource: Resource, *, data: bytes, alt: str, by: User, on_behalf_of: Body) -> Picture:
    """Show a picture of a resource, after those it has. `alt` says what it shows, for those who do not see it.

    Raises NotYours, TooManyPictures, PictureRefused.
    """
    resource = to_change(resource, None, by, on_behalf_of)
    if resource.pictures.count() >= MOST_PICTURES:
        raise TooManyPictures
    alt = _alt(alt)
    made, width, height = made_anew(data)
    last = resource.pictures.aggregate(last=Max("order"))["last"]
    picture = Picture.objects.create(
        resource=resource,
        sha256=storage.keep(made),
        width=width,
        height=height,
        alt=alt,
        order=0 if last is None else last + 1,
    )
    record("resource.picture_added", resource, by=by, on_behalf_of=on_behalf_of, alt=alt, sha256=picture.sha256)
    return picture


@transaction.atomic
def describe_picture(picture: Picture, *, alt: str, by: User, on_behalf_of: Body) -> Picture:
    """Say in other words what a picture shows. Raises NotYours, PictureGone, PictureRefused."""
    resource = to_change(picture.resource, None, by, on_behalf_of)
    picture = _there(resource, picture)
    alt = _alt(alt)
    if alt != picture.alt:
        before, picture.alt = picture.alt, alt
        picture.save(update_fields=["alt"])
        record("resource.picture_described", resource, by=by, on_behalf_of=on_behalf_of, before=before, after=alt)
    return picture


@transaction.atomic
def move_picture(picture: Picture, *, earlier: bool, by: User, on_behalf_of: Body) -> None:
    """Show a picture one place earlier or later; at the end of the row it stays. Raises NotYours, PictureGone."""
    resource = to_change(picture.resource, None, by, on_behalf_of)
    rows = list(resource.pictures.all())
    place = rows.index(_there(resource, picture))
    other = place - 1 if earlier else place + 1
    if not 0 <= other < len(rows):
        return
    rows[place], rows[other] = rows[other], rows[place]
    for order, row in enumerate(rows):
        row.order = order
    Picture.objects.bulk_update(rows, ["order"])
    record("resource.pictures_ordered", resource, by=by, on_behalf_of=on_behalf_of)


@transaction.atomic
def remove_picture(picture: Picture, *, by: User, on_behalf_of: Body) -> None:
    """Show a picture no longer, and delete its file unless something else is the same. Raises NotYours, PictureGone."""
    resource = to_change(picture.resource, None, by, on_behalf_of)
    picture = _there(resource, picture)
    alt, sha256 = picture.alt, picture.sha256
    picture.delete()
    forget_files([sha256])
    record("resource.picture_removed", resource, by=by, on_behalf_of=on_behalf_of, alt=alt)


def forget_files(hashes: Iterable[str]) -> None:
    """Delete these files when the transaction is committed, but for those that something still needs."""
    hashes = set(hashes)

    def forget() -> None:
        left = {
            sha256
            for model in (Picture, Rendition, Attachment)
            for sha256 in model._default_manager.filter(sha256__in=hashes).values_list("sha256", flat=True)
        }
        for sha256 in hashes - left:
            Path(storage.path_of(sha256)).unlink(missing_ok=True)

    transaction.on_commit(forget)


def _there(resource: Resource, picture: Picture) -> Picture:
    found = resource.pictures.filter(pk=picture.pk).first()
    if found is None:
        raise PictureGone
    return found


def _alt(words: str) -> str:
    words = " ".join(words.split())
    if not words:
        raise PictureRefused(_("Write what the picture shows, for those who do not see it."), "alt")
    if len(words) > LONGEST_ALT:
        raise PictureRefused(_("Shorten the text to %(most)s characters.") % {"most": LONGEST_ALT}, "alt")
    return words


# The picture itself


def made_anew(data: bytes) -> tuple[bytes, int, int]:
    """The picture as the portal keeps it, with width and height: upright, of a fit size, nothing said about its origin.

    A PNG file where something shines through, else JPEG. Raises PictureRefused with what to do instead.
    """
    if len(data) > settings.UPLOAD_BYTES:
        words = {"most": settings.UPLOAD_BYTES // 1_000_000}
        raise PictureRefused(_("The picture is larger than %(most)s MB. Save it smaller.") % words, "picture")
    try:
        return _made_anew(data)
    except PictureRefused:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as bomb:
        raise _too_many_pixels() from bomb
    except Image.UnidentifiedImageError as unknown:
        raise PictureRefused(_("Choose a picture in the format JPEG, PNG or WebP."), "picture") from unknown
    except Exception as error:  # Pillow answers a broken picture with whatever broke
        raise PictureRefused(
            _("The picture is damaged or not whole. Open it, save it anew, and send it again."), "picture"
        ) from error


def _too_many_pixels() -> PictureRefused:
    words = {"most": MOST_PIXELS // 1_000_000}
    return PictureRefused(_("The picture has more than %(most)s million pixels. Save it smaller.") % words, "picture")


def _made_anew(data: bytes) -> tuple[bytes, int, int]:
    with Image.open(io.BytesIO(data), formats=FORMATS) as opened:
        if opened.width * opened.height > MOST_PIXELS:
            raise _too_many_pixels()
        is_clear, profile = opened.has_transparency_data, opened.info.get("icc_profile")
        # A palette's colours cannot be mixed, so that a smaller picture would be jagged.
        picture: Any = opened.convert("RGBA" if is_clear else "RGB") if opened.mode in ("P", "1") else opened
        picture.thumbnail((MOST_SIDE, MOST_SIDE))
        picture = ImageOps.exif_transpose(picture)
        picture = _eight_bits(picture).convert("RGBA" if is_clear else "RGB")
    if profile:
        picture = _in_srgb(picture, profile)
    if is_clear and picture.getchannel("A").getextrema()[0] == 255:
        picture, is_clear = picture.convert("RGB"), False
    picture.info.clear()  # from which Pillow would take comments and profiles
    file = io.BytesIO()
    if is_clear:
        picture.save(file, "PNG", optimize=True)
    else:
        picture.save(file, "JPEG", quality=JPEG_QUALITY, optimize=True, progressive=True)
    return file.getvalue(), picture.width, picture.height


def _eight_bits(picture: Any) -> Any:
    """Sixteen bits of grey as eight, which Pillow would cut instead of scale."""
    return picture.point(lambda grey: grey / 256).convert("L") if picture.mode.startswith("I") else picture


def _in_srgb(picture: Any, profile: bytes) -> Any:
    """The colours as every screen knows them; as they are when the profile cannot be read."""
    try:
        return ImageCms.profileToProfile(
            picture, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture


def media_type(data: bytes) -> str:
    return "image/png" if data.startswith(b"\x89PNG") else "image/jpeg"
