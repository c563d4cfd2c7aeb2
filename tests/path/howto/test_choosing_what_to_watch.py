"""The streams of the page run, and the commands show a collection without a mapper and a pipeline that the server refuses."""

import re

from tailrace.project import load
from tests.eventually import eventually
from tests.howto.page import Page
from tests.page_files import PAGES
from tests.path.howto.shop import Shop


def test_commands_show_what_no_mapper_reads_and_what_the_server_refuses(page: Page, shop: Shop) -> None:
    tables = re.findall(r"```toml\n(.*?)```", (PAGES / page.name).read_text(), re.DOTALL)
    (page.folder / "tailrace.toml").write_text("\n".join(['mappers = "events:MAPPERS"', *tables]))
    project = load(page.folder)
    shop.open_terminal(page, project)
    orders, outbox = project.streams
    with shop.tailing(orders):
        shop.stack.mongo.shop.outbox.insert_one({"_id": "no-mapper"})
        assert eventually(lambda: shop.has("lane/orders/unmapped"))
        assert re.search(r"unmapped +.*shop\.outbox: 1 change since", page.run(), re.DOTALL)
    with shop.tailing(outbox):
        assert re.search(r"^ok +stream\.pipeline", page.bash(page.left[0]), re.MULTILINE)
    refused = outbox.model_copy(update={"pipeline": ({"$match": {"$expr": {"$toIntt": "$n"}}},)})
    page.variables |= shop.settings(refused)
    assert re.search(r"^FAIL +stream\.readable .*\$toIntt", page.bash(page.left.pop(0), code=2), re.MULTILINE)
