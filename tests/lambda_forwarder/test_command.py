"""The command line at a terminal and in a pipe: every error is one line that names the argument."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambda_forwarder.__main__ import main

SAMPLE = Path(__file__).parents[1] / "samples" / "wire" / "v1" / "update.json"


def run(folder: Path, *arguments: str, before: str = "", **environment: str) -> tuple[int, str]:
    """Run in a shell that may redirect, and return the exit code and both outputs."""
    command = [sys.executable, "-P", "-m", "lambda_forwarder", *arguments]
    done = subprocess.run(
        ["bash", "-c", f'"$@" {before}; echo " code ${{PIPESTATUS[0]}}"', "bash", *command],
        cwd=folder,
        env={
            "PYTHONPATH": str(Path.cwd()),
            "PATH": os.environ["PATH"],
            "FORWARDER_MAPPERS": os.environ["FORWARDER_MAPPERS"],
            **environment,
        },
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
def test_file_that_is_no_change_is_reported_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, content: bytes, words: str
) -> None:
    """With exit code 2, from a file and from a pipe. The message about a pipe is not checked."""
    (tmp_path / "given.json").write_bytes(content)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content), "utf-8", "surrogateescape"))
    for given in (str(tmp_path / "given.json"), "-"):
        assert main(["try", given]) == 2
        said = capsys.readouterr().err
        assert len(said.splitlines()) == 1
        assert words in said or given == "-"


def test_file_that_is_missing_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["try", str(tmp_path / "nix.json")]) == 2
    error = f"lambda_forwarder try: {tmp_path}/nix.json cannot be read or written: No such file or directory\n"
    assert capsys.readouterr().err == error


def test_file_may_begin_with_a_byte_order_mark(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Some shells write it."""
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
def test_closed_pipe_ends_the_command_silently(tmp_path: Path, arguments: tuple[str, ...], before: str) -> None:
    """As with ``| head``. No standard output is needed."""
    said = run(tmp_path, *arguments, before=before)[1]
    assert said == "" if before == "| true" else "Traceback" not in said


def test_unprintable_character_is_shown_as_its_code(tmp_path: Path) -> None:
    """The rest is shown as it is."""
    sample = tmp_path / "given.json"
    sample.write_text(SAMPLE.read_text().replace('"sub-1"', '"s\xfcb-1"'))
    code, said = run(tmp_path, "try", str(sample), PYTHONIOENCODING="ascii")
    assert (code, "\\xfc" in said, "Traceback" in said) == (0, True, False)


@pytest.mark.parametrize("table", ["", "x", "nowhere:MAPPERS", "os:path", "os:NOTHING"])
def test_unusable_mapper_table_is_named_as_it_was_given(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, table: str
) -> None:
    """By the option or the variable. Redrive accepts only the variable."""
    monkeypatch.chdir(tmp_path)
    assert main(["--mappers", table, "try", str(SAMPLE)]) == 2
    assert capsys.readouterr().err.startswith("lambda_forwarder try: --mappers: ")
    assert main(["--mappers", table, "redrive"]) == 2
    assert capsys.readouterr().err.startswith("lambda_forwarder redrive: --mappers: ")
    monkeypatch.setenv("FORWARDER_MAPPERS", table or "y")
    assert main(["try", str(SAMPLE)]) == 2
    assert capsys.readouterr().err.startswith("lambda_forwarder try: FORWARDER_MAPPERS: ")


@pytest.mark.parametrize("option", ["--limit", "--seconds"])
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "x", ""])
def test_invalid_bound_is_refused(capsys: pytest.CaptureFixture[str], option: str, value: str) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["redrive", f"{option}={value}"])
    assert f"argument {option}: " in capsys.readouterr().err
