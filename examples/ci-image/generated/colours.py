# Made by tools/colours.py; do not edit.
RED = 0xFF0000
GREEN = 0x00FF00
BLUE = 0x0000FF
