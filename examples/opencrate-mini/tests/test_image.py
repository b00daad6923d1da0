"""What must hold in an image; outside of one there is nothing to check."""

import importlib.util
import os
import sys
import unittest

import opencrate_mini

PYTHON = os.environ.get("OPENCRATE_PYTHON")


@unittest.skipUnless(PYTHON, "not in an image")
class ImageTest(unittest.TestCase):
    def test_python_is_the_cell_s(self) -> None:
        self.assertEqual(f"{sys.version_info.major}.{sys.version_info.minor}", PYTHON)

    def test_the_package_is_the_image_s_own(self) -> None:
        self.assertTrue(opencrate_mini.__file__.startswith("/usr/local/lib/"))
        self.assertEqual(opencrate_mini.version(), os.environ["OPENCRATE_VERSION"])

    def test_distutils_is_there_as_long_as_python_has_it(self) -> None:
        there = importlib.util.find_spec("distutils.core" if PYTHON == "3.11" else "distutils")
        self.assertEqual(there is not None, sys.version_info < (3, 12))


if __name__ == "__main__":
    unittest.main()
