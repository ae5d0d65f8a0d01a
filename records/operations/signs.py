"""Signs of life."""

from collab4m.clock import now
from records.models import Pulse


def feel_pulse(name: str) -> None:
    """Note that the part called `name` is alive at this moment."""
    Pulse.objects.update_or_create(name=name, defaults={"at": now()})
