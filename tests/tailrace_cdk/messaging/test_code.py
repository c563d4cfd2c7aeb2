"""The code of the functions is a zip or a container image. Everything else of a stack is the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from tailrace.errors import Misconfigured
from tailrace.packaging.image import RECIPE
from tailrace_cdk.messaging.code import code_of
from tailrace_cdk.synthesis.template import PlainStack
from tests.tailrace_cdk.conftest import Made
from tests.tailrace_cdk.package import image_folder, package
from tests.tailrace_cdk.template import of_type, stack
from tests.tailrace_cdk.variants import VARIANTS

HANDLERS = {"sqs": "lambda_forwarder.handlers.sqs.handler", "redrive": "lambda_forwarder.handlers.redrive.handler"}
FUNCTION = "AWS::Lambda::Function"
OF_CODE = {"Code", "Handler", "Runtime", "PackageType", "ImageConfig"}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The template for Terraform of the same environment, with a zip and with an image."""
    folder = tmp_path_factory.mktemp("package")
    packages = {"zip": package(folder), "image": package(folder, file=image_folder(folder))}
    return {
        name: Template.from_stack(PlainStack(App(outdir=f"{folder}/{name}"), VARIANTS["messaging"], package=one)).to_json()
        for name, one in packages.items()
    }


def functions(template: Any) -> dict[str, Any]:
    return {one["Properties"]["Description"]: one["Properties"] for one in of(template, FUNCTION).values()}


def of(template: Any, kind: str) -> dict[str, Any]:
    return {name: one for name, one in template["Resources"].items() if one["Type"] == kind}


def test_image_names_the_handler_of_each_function(templates: dict[str, Any]) -> None:
    """As a command. The image is a parameter in place of bucket and key."""
    assert templates["image"]["Parameters"].keys() == {"PackageImage"}
    assert templates["zip"]["Parameters"].keys() == {"PackageBucket", "PackageKey"}
    for description, found in functions(templates["image"]).items():
        handler = HANDLERS[description.rpartition(" ")[2]]
        assert found["ImageConfig"] == {"Command": [handler]}
        assert (found["PackageType"], found["Code"]) == ("Image", {"ImageUri": {"Ref": "PackageImage"}})
        assert functions(templates["zip"])[description]["Handler"] == handler


def test_functions_of_an_image_are_others_than_those_of_a_zip(templates: dict[str, Any]) -> None:
    """
    With the same settings, rights and log groups. Lambda cannot change the one into the other; the event source mapping, which
    is the position in a stream, stays the same resource.
    """
    zipped, image = templates["zip"], templates["image"]
    renamed = dict(zip(sorted(of(zipped, FUNCTION)), sorted(of(image, FUNCTION)), strict=True))
    assert set(renamed).isdisjoint(renamed.values())
    text = json.dumps(zipped["Resources"])
    for before, after in renamed.items():
        text = text.replace(f'"{before}"', f'"{after}"')
    assert without_code(json.loads(text)) == without_code(image["Resources"])


def without_code(resources: dict[str, Any]) -> dict[str, Any]:
    for one in resources.values():
        if one["Type"] == FUNCTION:
            one["Properties"] = {name: value for name, value in one["Properties"].items() if name not in OF_CODE}
    return resources


def test_image_is_built_by_the_deployment(made: Made) -> None:
    """For arm64, once for all functions."""
    synthesised = made("ordered")
    assert {one["PackageType"] for one in functions(synthesised.template).values()} == {"Image"}
    assets = json.loads(synthesised.file.with_name(f"{synthesised.stack}.assets.json").read_text())
    [image] = assets["dockerImages"].values()
    assert image["source"]["platform"] == "linux/arm64"
    assert (synthesised.file.parent / image["source"]["directory"] / "package.tar").exists()


def test_image_alone_handles_the_queue_of_changes() -> None:
    """Its own command is the handler of the forwarder."""
    assert f'CMD ["{HANDLERS["sqs"]}"]' in RECIPE
    assert HANDLERS["sqs"] in {one["Handler"] for one in of_type(stack(database=None, streams=[]), FUNCTION).values()}


@pytest.mark.parametrize("name", ["dist/shop.zip", "tailer:1", "444455556666.dkr.ecr.eu-west-1.amazonaws.com/tailer:1"])
def test_image_without_a_digest_is_refused(name: str) -> None:
    with pytest.raises(Misconfigured, match="is not an image in ECR with its digest"):
        code_of(name)


def test_image_in_ecr_is_used_as_it_is(tmp_path: Path) -> None:
    """By its digest."""
    uri = f"444455556666.dkr.ecr.eu-west-1.amazonaws.com/functions@sha256:{64 * 'a'}"
    run = code_of(uri).run("a.handler")
    image = run["code"].bind(App()).image
    assert image
    assert (image.image_uri, image.cmd) == (uri, ["a.handler"])
