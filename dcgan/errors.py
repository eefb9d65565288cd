"""What a user's input can be told about itself."""


class InputError(ValueError):
    """An input that the user gave cannot be used.

    The message is one line that names the file or option and says what was expected. The command
    line prints it and exits with code 2; from Python it is a `ValueError`.
    """
