"""The one error that bad input raises."""


class InputError(ValueError):
    """Bad input; the message is one line that names the argument, its value and what was expected.

    The command line prints it on stderr and exits with code 2.
    """


def short(value: object) -> str:
    """A value as at most 80 ASCII characters, for a message."""
    text = ascii(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
