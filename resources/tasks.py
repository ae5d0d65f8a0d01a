"""What the clock starts."""

from celery import shared_task

from records.tasks import waits_for_the_database
from resources import operations


@shared_task(ignore_result=True)
@waits_for_the_database
def end_what_is_due() -> None:
    """End requests and offers that nobody answered in time."""
    operations.expire_requests()
    operations.expire_offers()
