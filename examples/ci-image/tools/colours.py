"""Prints a Python module with the colours of a list: a stand-in for a real generator."""

import sys

print("# Made by tools/colours.py; do not edit.")
with open(sys.argv[1], encoding="utf-8") as lines:
    for line in lines:
        name, value = line.split()
        print(f"{name.upper()} = 0x{value.upper()}")
