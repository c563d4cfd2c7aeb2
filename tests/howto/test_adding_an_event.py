"""The page on adding an event is a project whose commands run."""

import subprocess
import sys

from tests.howto.page import Page


def test_commands_of_the_page_run_in_a_new_project(page: Page) -> None:
    """From the first try to the written contract."""
    new = [sys.executable, "-P", "-m", "tailrace.cli", "init", "payments", "--collection", "payments"]
    subprocess.run(new, cwd=page.folder, check=True, capture_output=True)
    page.folder /= "payments"
    page.write_files()
    page.run_all()
    assert "PaymentRefunded" in (page.folder / "events.md").read_text()
    assert "PaymentCreated" not in (page.folder / "events.md").read_text()
    assert [file.name for file in (page.folder / "schemas").glob("*PaymentRefunded-v1.json")] == [
        "app.payments@PaymentRefunded-v1.json"
    ]
