"""A subject for texts written together, as the apps above `records` will have: a paper of an area's municipalities."""

import rules
from django.db import models
from django.db.models import Q
from django.urls import reverse


class PaperQuerySet(models.QuerySet["Paper"]):
    def visible_to(self, user):
        """Everyone in the area."""
        bodies, areas = user.bodies_today(), [role.area_id for role in user.roles_today if role.area_id]
        members = Q(area__memberships__municipality__in=bodies)
        schools = Q(area__memberships__municipality__schools__in=bodies)
        return self.filter(pk__in=Paper.objects.filter(members | schools | Q(area__in=areas)).values("pk"))


class Paper(models.Model):
    area = models.ForeignKey("organisations.CollaborationArea", models.PROTECT)
    title = models.CharField(max_length=100)
    is_closed = models.BooleanField(default=False)

    write_permission = "writing.write_paper"
    objects = PaperQuerySet.as_manager()

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("paper", args=[self.pk])


@rules.predicate
def administers_a_member(user, paper):
    members = paper.area.memberships.filter(municipality__in=user.bodies_where("administrator"))
    return not paper.is_closed and members.exists()


rules.add_perm("writing.write_paper", administers_a_member)
