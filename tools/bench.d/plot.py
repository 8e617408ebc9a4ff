#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The plot of tools/bench --icount for the docs, by gnuplot: what each stack
costs above the cipher, sequential, 32 deep, on a RAM disk.

usage: plot.py JSON SVG"""

import json
import subprocess
import sys

STACKS = {
    "linear": "linear",
    "floor": "linear + AES",
    "svcenc": "dm-svcenc",
    "crypt-nowq": "dm-crypt, no wq",
    "crypt": "dm-crypt",
}
COLUMNS = ((4096, "write"), (4096, "read"), (131072, "write"), (131072, "read"))
NAMES = ("4K write", "4K read", "128K write", "128K read")


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        cells = json.load(file)["cells"]
    cost = {
        (cell["stack"], cell["bytes"], cell["rw"]): cell["instructions"]
        for cell in cells
        if (cell["below"], cell["order"], cell["depth"]) == ("brd", "seq", 32)
    }
    lines = []
    for (size, kind), name in zip(COLUMNS, NAMES):
        values = (str(cost[(stack, size, kind)] / (size / 4096) / 1000) for stack in STACKS)
        lines.append(f'"{name}" ' + " ".join(values))
    data = "\n".join(lines)
    plots = ", ".join(
        f'$data using {column}:xtic(1) title "{name}"' for column, name in enumerate(STACKS.values(), 2)
    )
    script = f"""set terminal svg size 760,380 font "sans,13" background "white"
set output "{sys.argv[2]}"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.8 border -1
set ylabel "thousand instructions per 4 KiB"
set yrange [0:*]
set key outside right
set grid ytics
$data << END
{data}
END
plot {plots}
"""
    return subprocess.run(["gnuplot"], input=script, text=True, check=False).returncode


sys.exit(main())
