"""The command line at a keyboard and in a pipe: whatever is given, it ends with a line that names what was typed."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_forwarder.__main__ import main

SAMPLE = Path(__file__).parents[1] / "samples" / "wire" / "v1" / "update.json"


def run(folder: Path, *arguments: str, before: str = "", **environment: str) -> tuple[int, str]:
    """The exit code and what is said, in a shell that may redirect; both streams in one."""
    command = [sys.executable, "-P", "-m", "lambda_forwarder", *arguments]
    done = subprocess.run(
        ["bash", "-c", f'"$@" {before}; echo " code ${{PIPESTATUS[0]}}"', "bash", *command],
        cwd=folder,
        env={"PYTHONPATH": str(Path.cwd()), "PATH": os.environ["PATH"], **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    said, _, code = done.stdout.rpartition(" code ")
    return int(code), said


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff\xfe\x00", "can't decode"),
        (b"[" * 100_000, "nested too deeply"),
        (b"{", "not JSON"),
        (b"{}", "none of these"),
    ],
)
def test_a_file_that_is_no_change_is_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, words: str
) -> None:
    """Exit 2, from a file and from a pipe whose text is not checked."""
    (tmp_path / "given.json").write_bytes(content)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8", "surrogateescape"))
    for given in (str(tmp_path / "given.json"), "-"):
        assert main(["try", given]) == 2
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1
        assert words in said or given == "-"


def test_a_file_of_another_system_may_begin_with_a_mark(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """UTF-8 with a byte order mark, as some shells write it."""
    marked = tmp_path / "given.json"
    marked.write_bytes(b"\xef\xbb\xbf" + SAMPLE.read_bytes())
    assert main(["try", str(marked)]) == main(["try", str(SAMPLE)]) == 0
    shown = capsys.readouterr().out
    assert shown[: len(shown) // 2] * 2 == shown


@pytest.mark.parametrize(
    ("arguments", "before"),
    [
        (("try", str(SAMPLE)), "| true"),
        (("try", "--json", str(SAMPLE)), "| true"),
        (("--help",), "| true"),
        (("try", str(SAMPLE)), ">&-"),
        (("--help",), ">&-"),
    ],
)
def test_a_reader_that_has_read_enough_ends_it_quietly(tmp_path: Path, arguments: tuple[str, ...], before: str) -> None:
    """As ``| head`` does; nor does it need a standard output."""
    said = run(tmp_path, *arguments, before=before)[1]
    assert said == "" if before == "| true" else "Traceback" not in said


def test_a_terminal_that_cannot_show_a_character_shows_its_code(tmp_path: Path) -> None:
    """The rest is shown as it is."""
    sample = tmp_path / "given.json"
    sample.write_text(SAMPLE.read_text().replace('"sub-1"', '"s\xfcb-1"'))
    code, said = run(tmp_path, "try", str(sample), PYTHONIOENCODING="ascii")
    assert (code, "\\xfc" in said, "Traceback" in said) == (0, True, False)


@pytest.mark.parametrize("table", ["", "x", "nowhere:MAPPERS", "os:path", "lambda_forwarder.mappings:NOTHING"])
def test_a_table_that_cannot_be_used_is_called_as_it_was_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, table: str
) -> None:
    """The option or the variable; redrive takes the variable alone."""
    monkeypatch.chdir(tmp_path)
    assert main(["--mappers", table, "try", str(SAMPLE)]) == 2
    assert capsys.readouterr().err.startswith("--mappers: ")
    assert main(["--mappers", table, "redrive"]) == 2
    assert capsys.readouterr().err.startswith("redrive: --mappers: ")
    monkeypatch.setenv("FORWARDER_MAPPERS", table or "y")
    assert main(["try", str(SAMPLE)]) == 2
    assert capsys.readouterr().err.startswith("FORWARDER_MAPPERS: ")


@pytest.mark.parametrize("option", ["--limit", "--seconds"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "x", ""])
def test_a_bound_that_is_none_is_refused(capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    """Before anything is touched."""
    with pytest.raises(SystemExit, match="2"):
        main(["redrive", f"{option}={value}"])
    assert f"argument {option}: " in capsys.readouterr().err
