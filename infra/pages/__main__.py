"""Write every generated page."""

from infra.pages import commands, configuration, costs, metrics, security

for module in (commands, configuration, costs, metrics, security):
    module.PAGE.write_text(module.page())
