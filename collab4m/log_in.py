"""Log-in as the portal speaks of it: the forms around passwords, digits and passkeys, and what a password must be."""

from typing import Any

from allauth.account.forms import ChangePasswordForm, LoginForm, ResetPasswordKeyForm, SetPasswordForm
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django.contrib.auth.password_validation import (
    CommonPasswordValidator,
    MinimumLengthValidator,
    NumericPasswordValidator,
    UserAttributeSimilarityValidator,
)
from django.forms import Form
from django.utils.translation import gettext as _

from organisations.forms.people import password_help


class LogInForm(LoginForm):
    """allauth's, without the link that it puts between the label and the field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password"].help_text = ""


class NewPassword(Form):
    """Mixin for allauth's forms: one sentence on what a password must be, and what to do when the two differ."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["password1"].help_text = password_help()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "password2" in self.errors and cleaned.get("password1"):
            first, second = self.data.get(self.add_prefix("password1")), self.data.get(self.add_prefix("password2"))
            if second and first != second:
                del self.errors["password2"]
                self.add_error("password2", _("The two passwords differ. Write the same one twice."))
        return cleaned


class PasswordChangeForm(NewPassword, ChangePasswordForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("oldpassword") and cleaned.get("oldpassword") == cleaned.get("password1"):
            self.add_error("password1", _("That is the password you have. Choose another."))
        return cleaned


class PasswordSetForm(NewPassword, SetPasswordForm):
    """For those who have had no password."""


class PasswordResetForm(NewPassword, ResetPasswordKeyForm):
    """For those who came by the link in a mail."""


class AppForm(ActivateTOTPForm):
    """The six digits that show that the authenticator app has the secret."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["code"].label = _("Six digits from the app")
        self.fields["code"].widget.attrs.update({"class": "w-num", "inputmode": "numeric"})

    @property
    def secret_in_groups(self) -> list[str]:
        """The secret four letters at a time, as one reads it aloud."""
        return [self.secret[start : start + 4] for start in range(0, len(self.secret), 4)]


class KeyForm(AddWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the key")
        self.fields["passwordless"].label = _("Log in with only the key")
        self.fields["passwordless"].help_text = _(
            "You then need no password here. The key must ask for fingerprint, face or PIN."
        )


class KeyNameForm(EditWebAuthnForm):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].label = _("Name of the key")


# What a password must be, said so that one knows what to do


class LongPassword(MinimumLengthValidator):
    def get_error_message(self) -> str:
        return _("Write at least %(length)s characters. Three or four words in a row are easy to remember.") % {
            "length": self.min_length
        }


class RarePassword(CommonPasswordValidator):
    def get_error_message(self) -> str:
        return _("Many people use that password, so it is soon guessed. Choose one that is your own.")


class WordyPassword(NumericPasswordValidator):
    def get_error_message(self) -> str:
        return _("Add letters. A password of only figures is soon guessed.")


class UnlikePassword(UserAttributeSimilarityValidator):
    def get_error_message(self) -> str:
        return _("Choose a password that does not resemble your name or e-mail address.")
