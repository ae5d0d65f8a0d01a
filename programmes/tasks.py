"""What the clock starts."""

from celery import shared_task

from programmes import operations
from records.tasks import waits_for_the_database


@shared_task(ignore_result=True)
@waits_for_the_database
def forget_files() -> None:
    """Drop files that were sent and never confirmed."""
    operations.forget_files()
