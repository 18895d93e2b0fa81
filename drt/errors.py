"""The one error that bad input raises."""


class InputError(ValueError):
    """Bad input; the message is one line that names the argument, its value and what was expected.

    The command line prints it on stderr and exits with code 2.
    """
