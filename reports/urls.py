"""Addresses of the reports: reading, working, covers, versions and files."""

from django.urls import path

from reports import views

urlpatterns = [
    path("rapporter/", views.reports, name="reports"),
    path("rapporter/<int:pk>/", views.report, name="report"),
    path("rapporter/<int:pk>/arbete/", views.work, name="report_work"),
    path("rapporter/<int:pk>/gor-slutlig/", views.build, name="report_build"),
    path("rapporter/<int:pk>/forsattsblad/<int:board>/", views.cover, name="report_cover"),
    path("rapporter/<int:pk>/jamfor/<int:number>/", views.compare, name="report_compare"),
]
