#!/usr/bin/env python3
"""Counts the lines of code of every crate of this repository, by room, without tests, comments and blanks.

Usage: tests/count_lines.py [ROOT]     (after `cargo fmt`; ROOT is this repository unless given)

A room is the first folder or file below a crate's `src`. Left out: files called tests.rs or sample.rs,
everything below a folder called tests, modules and other items under `#[cfg(test)]`, comments and blank lines. The fuzz
targets are tests. Lines of a string that look like a comment or are blank count as such.
"""

import collections
import pathlib
import re
import sys

LEFT_OUT = {"target", ".git", "fuzz", "tests", "benches"}


def crates(root):
    """The folders below `root` that hold a Cargo.toml and a src folder."""
    if (root / "Cargo.toml").exists() and (root / "src").is_dir():
        yield root
    for folder in sorted(root.iterdir()):
        if folder.is_dir() and folder.name not in LEFT_OUT | {"src"}:
            yield from crates(folder)


def indentation(line):
    return len(line) - len(line.lstrip())


def without_test_items(lines):
    """The lines outside of items under `#[cfg(test)]`, which rustfmt ends at their own indentation."""
    lines = iter(lines)
    for line in lines:
        if line.strip() != "#[cfg(test)]":
            yield line
            continue
        indent = indentation(line)
        for line in lines:
            if line.strip() and indentation(line) == indent and line.rstrip().endswith((";", "}")):
                break


def code_lines(text):
    text = re.sub(r"^\s*/\*.*?\*/", "", text, flags=re.DOTALL | re.MULTILINE)
    lines = without_test_items(text.splitlines())
    return sum(1 for line in lines if line.strip() and not line.lstrip().startswith("//"))


def test_modules(file):
    """The files and folders of the modules that `file` declares for tests only."""
    folder = file.parent if file.name in ("mod.rs", "lib.rs", "main.rs") else file.with_suffix("")
    for name in re.findall(r"#\[cfg\(test\)\]\s+(?:pub(?:\([a-z]+\))? )?mod (\w+);", file.read_text()):
        yield folder / f"{name}.rs"
        yield folder / name


def is_test(file, modules):
    return file.name in ("tests.rs", "sample.rs") or not modules.isdisjoint([file, *file.parents])


def rooms_of(crate):
    rooms = collections.Counter()
    source = crate / "src"
    files = sorted(source.rglob("*.rs"))
    modules = {module for file in files for module in test_modules(file)}
    for file in files:
        inside = file.relative_to(source)
        if is_test(file, modules) or "tests" in inside.parts[:-1]:
            continue
        rooms[inside.parts[0].removesuffix(".rs")] += code_lines(file.read_text())
    return rooms


def main():
    here = pathlib.Path(__file__).resolve().parent.parent
    root = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else here
    total = 0
    for crate in crates(root):
        rooms = rooms_of(crate)
        name = "." if crate == root else str(crate.relative_to(root))
        for room, lines in sorted(rooms.items()):
            print(f"{name:<16} {room:<16} {lines:>6}")
        print(f"{name:<16} {'all rooms':<16} {sum(rooms.values()):>6}")
        total += sum(rooms.values())
    print(f"{'total':<33} {total:>6}")


main()
