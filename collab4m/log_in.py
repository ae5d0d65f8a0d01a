"""The log-in form as the portal draws it."""

from typing import Any

from allauth.account.forms import LoginForm


class LogInForm(LoginForm):
    """allauth's, without the link that it puts between the label and the field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""
