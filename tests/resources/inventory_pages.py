"""The addresses of pictures and inventories, and what each role meets there."""

from __future__ import annotations

from typing import Any

from resources.operations import add_picture
from tests.factories import ResourceFactory
from tests.pages import Page
from tests.resources.painted import painted


def of_resource(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [with_picture(home, owner).pk]


def of_picture(home: Any, neighbour: Any, owner: Any) -> list[Any]:
    return [with_picture(home, owner).pictures.get().pk]


def with_picture(home: Any, owner: Any) -> Any:
    resource = ResourceFactory(name="Buss med bild", municipality=home)
    add_picture(resource, data=painted(), alt="Vit minibuss från sidan", by=owner, on_behalf_of=home.body)
    return resource


def as_csv() -> list[Any]:
    return ["csv"]


KEEPERS = {"owner": 200, "asker": 200, "outsider": 200, "principal": 200}
OWNERS = {"owner": 200, "outsider": 404, "roleless": 404, "system_administrator": 404}
DONE = {**OWNERS, "owner": 302}

INVENTORY_PAGES = [
    Page("inventory_import", everyone=403, status=KEEPERS),
    Page("inventory_template", args=as_csv, everyone=403, status=KEEPERS, draws=False),
    Page("inventory_file", args=as_csv, everyone=403, status=KEEPERS, draws=False),
    Page("resource_pictures", args=of_resource, everyone=403, status=OWNERS),
    Page("picture", args=of_picture, status={**OWNERS}, draws=False),
    Page("picture_change", args=of_picture, everyone=403, status=OWNERS),
    Page("picture_move", args=of_picture, method="post", everyone=403, status=DONE, draws=False),
    Page("picture_remove", args=of_picture, everyone=403, status=OWNERS),
]
