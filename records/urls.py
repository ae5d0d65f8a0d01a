from django.urls import path, register_converter

from records import views, views_final
from records.verifying import Sha256Converter

register_converter(Sha256Converter, "sha256")

urlpatterns = [
    path("historik/<str:app_label>/<str:model>/<int:pk>/", views.history, name="history"),
    path("jobb/", views.jobs, name="jobs"),
    path("jobb/<int:pk>/", views.job, name="job"),
    path("jobb/<int:pk>/igen/", views.job_retry, name="job_retry"),
    path("fragor/", views.questions, name="questions"),
    path("fragor/ny/", views.question_new, name="question_new"),
    path("fragor/<int:pk>/", views.question, name="question"),
    path("fragor/<int:pk>/stang/", views.question_close, name="question_close"),
    path("fragor/svar/<str:token>/", views.reply_by_link, name="reply_by_link"),
    path("rattelser/", views.corrections, name="corrections"),
    path("rattelser/ny/", views.correction_new, name="correction_new"),
    path("rattelser/<int:pk>/", views.correction, name="correction"),
    path("rattelser/<int:pk>/godta/", views.correction_accept, name="correction_accept"),
    path("rattelser/<int:pk>/avsla/", views.correction_decline, name="correction_decline"),
    path("texter/<int:pk>/", views.part, name="part"),
    path("texter/<int:pk>/historik/", views.part_history, name="part_history"),
    path("versioner/<int:pk>/", views_final.version, name="version"),
    path("versioner/filer/<int:pk>/", views_final.rendition, name="rendition"),
    path("versioner/bilagor/<int:pk>/", views_final.attachment, name="attachment"),
    path("verifiera/", views_final.verify, name="verify"),
    path("verifiera/<sha256:sha256>/", views_final.verified, name="verified"),
]
