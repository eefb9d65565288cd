"""Short texts for errors."""


def first_line(error: BaseException) -> str:
    """Returns the first line of an error's text, or its type's name where it has no text."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
