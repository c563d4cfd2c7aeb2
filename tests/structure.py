"""
Print the structure of a checkout: `python -P -m tests.structure [FOLDER]`.

A room is a folder of a package, or a module at its top. An arrow leads from a room to a room that it imports. A room's floor is
one above the highest room that it imports. Rooms that import each other in a circle share a floor, and the arrows between them
are counted as uphill.
"""

import ast
import sys
import tokenize
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

Modules = Mapping[str, Path]
Arrows = set[tuple[str, str]]

NOT_PRODUCT = frozenset({"tests", "benchmarks", "devstack"})
NOT_CODE = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER})
COLUMNS = ("rooms", "floors", "arrows", "uphill", "files", "lines", "code")
LARGEST = 10


def modules_of(folder: Path, package: str) -> dict[str, Path]:
    """The files of a package by the name of their module. An `__init__.py` has the name of its folder."""
    paths = sorted((folder / package).rglob("*.py"))
    return {".".join(path.relative_to(folder).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_bytes())


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def code_lines(path: Path) -> int:
    """How many lines of a file are neither blank, nor a comment, nor documentation."""
    with tokenize.open(path) as file:
        tokens = [token for token in tokenize.generate_tokens(file.readline) if token.type not in NOT_CODE]
    code = {line for token in tokens for line in range(token.start[0], token.end[0] + 1)}
    return len(code.difference(*map(_documentation, ast.walk(parsed(path)))))


def _documentation(node: ast.AST) -> range:
    """The lines of a statement that is only a text."""
    match node:
        case ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int(last)):
            return range(first, last + 1)
    return range(0)


def imports(path: Path, modules: Modules) -> Iterator[str]:
    """The names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(parsed(path)):
        match node:
            case ast.Import(names=names):
                yield from (alias.name for alias in names if alias.name in modules)
            case ast.ImportFrom(module=str(module), names=names):
                named = {f"{module}.{alias.name}" for alias in names}
                yield from named & modules.keys() or {module} & modules.keys()


def room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def arrows_of(modules: Modules) -> Arrows:
    pairs = {(room(name), room(imported)) for name, path in modules.items() for imported in imports(path, modules)}
    return {(start, end) for start, end in pairs if start != end}


def floors(rooms: set[str], arrows: Arrows) -> tuple[int, int]:
    """How many floors the rooms need, and how many arrows run uphill."""
    below = {name: {end for start, end in arrows if start == name} for name in rooms}
    for middle in rooms:
        for name in rooms:
            if middle in below[name]:
                below[name] |= below[middle]

    @cache
    def floor(name: str) -> int:
        return 1 + max((floor(other) for other in below[name] if name not in below[other]), default=0)

    return max(map(floor, rooms), default=0), sum(start in below[end] for start, end in arrows)


def row(modules: Modules) -> tuple[int, ...]:
    """One number for each of the columns."""
    arrows = arrows_of(modules)
    rooms = {room(name) for name in modules if "." in name} | {name for arrow in arrows for name in arrow}
    height, uphill = floors(rooms, arrows)
    files = modules.values()
    return len(rooms), height, len(arrows), uphill, len(files), sum(map(lines, files)), sum(map(code_lines, files))


def report(folder: Path) -> Iterator[str]:
    packages = {path.parent.name: modules_of(folder, path.parent.name) for path in sorted(folder.glob("*/__init__.py"))}
    product = {name: path for package in packages.keys() - NOT_PRODUCT for name, path in packages[package].items()}
    yield f"{'':20}" + "".join(f"{column:>8}" for column in COLUMNS)
    for name, modules in [*packages.items(), ("the product", product)]:
        yield f"{name:20}" + "".join(f"{number:8,}" for number in row(modules))
    yield f"\nthe product is all packages but {', '.join(sorted(NOT_PRODUCT))}; its largest modules:"
    for path in sorted(product.values(), key=lines, reverse=True)[:LARGEST]:
        yield f"{lines(path):8} {path.relative_to(folder)}"


if __name__ == "__main__":
    sys.stdout.writelines(f"{line}\n" for line in report(Path(*sys.argv[1:])))
