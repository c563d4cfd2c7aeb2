"""The error of a setting, a file or a mapper that only its owner can correct."""


class Misconfigured(Exception):
    """
    Something of the user's is missing or wrong. The message names it, the problem and the remedy.

    The command ``tailrace`` prints the message without a traceback and ends with exit code 2.
    """
