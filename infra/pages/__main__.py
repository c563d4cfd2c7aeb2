"""Write every page that is made from the code."""

from infra.pages import configuration, costs, metrics, security

for module in (configuration, costs, metrics, security):
    module.PAGE.write_text(module.page())
