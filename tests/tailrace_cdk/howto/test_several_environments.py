"""The page on environments is a project whose environments differ as it says."""

from tailrace.project import load
from tailrace_cdk.project_environment import settings_of
from tests.howto.page import Page
from tests.tailrace.packaging import shop


def test_environments_of_the_page_differ_as_it_says(page: Page) -> None:
    """Tables are merged: production keeps the threshold of all environments beside its own address."""
    shop.write_with_cache(page.folder)
    page.write_files()
    trial, production = (settings_of(load(page.folder), name) for name in ("trial", "production"))
    assert trial.database
    assert production.database
    assert (trial.database.instances, production.database.instances) == (1, 2)
    assert [one.database.history_seconds for one in (trial, production) if one.database] == [86_400, 86_400]
    assert [one.alarms.lag_seconds for one in (trial, production)] == [60, 60]
    assert (trial.alarms.email, production.alarms.email) == ("", "oncall@example.com")
    assert (trial.removal, trial.customer_key, production.customer_key) == ("destroy", False, True)
    assert page.run_all().startswith("tailrace-shop-production: ")
