"""What a page's terminal has besides its programs: an AWS account, and the ``make`` of a clone."""

import sys

from tailrace.dev.aws import Aws
from tests.howto.page import Page
from tests.tracked import REPOSITORY


def sign_in(page: Page, aws: Aws) -> None:
    """Let ``aws`` and Python call this account."""
    page.variables |= aws.environment
    page.program("aws", f'#!/bin/sh\nexec "{sys.executable}" -P -m tests.aws_command "$@"\n')


def clone(page: Page) -> None:
    """
    Let ``make`` print what it would run in the clone, and refuse an unknown target as it does. Each of these commands has tests
    of its own: ``tests/infra/test_command.py``, ``tests/infra/supply``, ``tests/distribution``.
    """
    page.program("make", f'#!/bin/sh\nexec /usr/bin/make --dry-run --directory "{REPOSITORY}" "$@"\n')
