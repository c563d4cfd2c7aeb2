"""``tailrace.toml``: where it is found, its values, and its mistakes, which are all reported at once."""

from pathlib import Path

import pytest

from tailrace.project import FILE, ProjectError, load

STREAM = """
[[streams]]
name = "orders"
database = "shop"
collections = ["orders"]
"""
SHOP = f"""
name = "shop"
mappers = "events:MAPPERS"
{STREAM}
[environment]
customer_key = true
[environment.forwarder]
memory = 512
log_days = 30
[environments.trial]
removal = "destroy"
[environments.trial.forwarder]
log_days = 7
[environments.production]
"""


def write(folder: Path, text: str = SHOP) -> Path:
    (folder / "events.py").write_text("MAPPERS = {}")
    (folder / FILE).write_text(text)
    return folder


def error_of(folder: Path, text: str) -> str:
    with pytest.raises(ProjectError) as error:
        load(write(folder, text))
    return str(error.value)


def test_project_is_found_from_a_folder_inside_it(tmp_path: Path) -> None:
    """The nearest tailrace.toml counts, and all paths are absolute."""
    (write(tmp_path) / "tests/samples").mkdir(parents=True)
    project = load(tmp_path / "tests/samples")
    assert (project.folder, project.name, project.mappers) == (tmp_path.resolve(), "shop", "events:MAPPERS")
    assert project.sources == (tmp_path.resolve() / "events.py",)
    assert [stream.collections for stream in project.streams] == [("orders",)]
    assert project.environments == ("trial", "production")


def test_no_file_names_the_command_that_makes_one(tmp_path: Path) -> None:
    """The error says where it was looked for."""
    with pytest.raises(ProjectError, match=rf"no tailrace.toml in {tmp_path.resolve()} .*tailrace init NAME"):
        load(tmp_path)


def test_environment_is_the_base_with_what_differs(tmp_path: Path) -> None:
    """Tables are merged, other values replaced; streams and mappers are those of the project."""
    project = load(write(tmp_path))
    streams = [{"name": "orders", "database": "shop", "collections": ["orders"]}]
    assert project.environment("trial") == {
        "name": "trial",
        "streams": streams,
        "customer_key": True,
        "removal": "destroy",
        "forwarder": {"mappers": "events:MAPPERS", "memory": 512, "log_days": 7},
    }
    assert project.environment("production")["forwarder"]["log_days"] == 30


def test_unknown_environment_names_the_most_similar_one(tmp_path: Path) -> None:
    """If none is similar, all of them are named."""
    project = load(write(tmp_path))
    with pytest.raises(ProjectError, match=r"no environment 'prodution'; did you mean production"):
        project.environment("prodution")
    with pytest.raises(ProjectError, match="there are trial, production"):
        project.environment("x")


def test_project_without_environments_names_the_table_to_add(tmp_path: Path) -> None:
    (tmp_path / "tailrace.toml").write_text('mappers = "events:MAPPERS"')
    with pytest.raises(ProjectError, match=r"no environment 'trial'; add a table \[environments\.NAME\]"):
        load(tmp_path).environment("trial")


def test_every_mistake_is_named_with_its_remedy(tmp_path: Path) -> None:
    """All at once, with the file and the most similar name."""
    text = """
    mapers = "events:MAPPERS"
    [[streams]]
    name = "orders"
    databse = "shop"
    [environments.Trial]
    """
    error = error_of(tmp_path, text)
    assert error.startswith(f"{tmp_path.resolve() / FILE}: 3 settings need attention:")
    assert "a key is not a setting; did you mean mappers?" in error
    assert "streams.0: a key is not a setting; did you mean database?" in error
    assert "environments.Trial" in error


@pytest.mark.parametrize("path", ["../events.py", "/etc/passwd", ".", "src/../.."])
@pytest.mark.parametrize("setting", ["sources", "requirements"])
def test_path_outside_the_project_is_refused(tmp_path: Path, setting: str, path: str) -> None:
    """Also the folder itself: it has secrets and environments that belong in no zip."""
    value = f'["{path}"]' if setting == "sources" else f'"{path}"'
    error = error_of(tmp_path, f'mappers = "events:MAPPERS"\n{setting} = {value}')
    assert f"{setting}: {path} is not in the project's folder" in error


def test_link_that_leads_outside_is_refused(tmp_path: Path) -> None:
    """What a link points to counts."""
    (tmp_path / "project").mkdir()
    (tmp_path / "secret").write_text("")
    (tmp_path / "project/linked").symlink_to(tmp_path / "secret")
    assert "linked is not in" in error_of(tmp_path / "project", 'mappers = "events:MAPPERS"\nsources = ["linked"]')


def test_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    """A folder is no file of requirements."""
    (tmp_path / "folder").mkdir()
    text = 'mappers = "events:MAPPERS"\nsources = ["evnts.py"]\nrequirements = "folder"'
    error = error_of(tmp_path, text)
    assert "sources: evnts.py does not exist in" in error
    assert "requirements: folder does not exist in" in error


def test_package_of_the_mappers_is_the_default_source(tmp_path: Path) -> None:
    """Also in src/. An installed package is none of the project's files."""
    (tmp_path / "src/acme").mkdir(parents=True)
    assert load(write(tmp_path, 'mappers = "acme.events:MAPPERS"')).sources == (tmp_path.resolve() / "src/acme",)
    assert load(write(tmp_path, 'mappers = "examples.payments.events:MAPPERS"')).sources == ()


def test_mappers_of_one_environment_are_refused(tmp_path: Path) -> None:
    """The zip is checked for the mappers of the project."""
    text = 'mappers = "events:MAPPERS"\n[environments.trial.forwarder]\nmappers = "other:MAPPERS"'
    assert "environments.trial.forwarder.mappers: mappers is set once" in error_of(tmp_path, text)


def test_two_streams_of_one_name_are_refused(tmp_path: Path) -> None:
    """Each has a checkpoint of its own, by its name."""
    assert "two streams have the name orders" in error_of(tmp_path, f'mappers = "events:MAPPERS"\n{STREAM}{STREAM}')


def test_error_of_the_parser_quotes_no_value(tmp_path: Path) -> None:
    """The file may have a secret by mistake."""
    error = error_of(tmp_path, 'password = "hunter2" x')
    assert "cannot be read" in error
    assert "hunter2" not in error
