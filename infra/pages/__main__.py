"""Write every generated page."""

from infra.pages import configuration, costs, metrics, security

for module in (configuration, costs, metrics, security):
    module.PAGE.write_text(module.page())
