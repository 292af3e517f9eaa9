"""What the user can mend after the check has passed: a message that says what is wrong, a help that says what to do."""


class UserError(Exception):
    """Something outside our code is not as it has to be: `message` says what and where, `help` what to do about it."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help


class DataError(UserError):
    """The data is missing, damaged, or not what the spec says."""
