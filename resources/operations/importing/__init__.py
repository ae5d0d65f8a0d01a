"""An inventory in a file: read with every fault named, shown as what would change, and then taken in whole or not."""

from resources.operations.importing.checking import Planned, plan_inventory, plan_seen
from resources.operations.importing.columns import INVENTORY_COLUMNS
from resources.operations.importing.reading import Inventory, read_inventory
from resources.operations.importing.saving import InventoryChanged, import_inventory
from resources.operations.importing.writing import inventory_headings, inventory_rows, shared_by

__all__ = [
    "INVENTORY_COLUMNS",
    "Inventory",
    "InventoryChanged",
    "Planned",
    "import_inventory",
    "inventory_headings",
    "inventory_rows",
    "plan_inventory",
    "plan_seen",
    "read_inventory",
    "shared_by",
]
