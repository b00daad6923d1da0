import unittest

from opencrate_mini import Settings, SettingsError

DEFAULTS = {"name": "base", "seed": 0, "model": {"depth": 4, "dropout": 0.1, "bias": True}}


class SettingsTest(unittest.TestCase):
    def test_reads_nested_values_by_path(self) -> None:
        self.assertEqual(Settings(DEFAULTS)["model.depth"], 4)

    def test_an_override_takes_the_type_of_the_default(self) -> None:
        settings = Settings(DEFAULTS).overridden(["model.depth=8", "model.dropout=1", "name=7"])
        self.assertEqual(settings["model.depth"], 8)
        self.assertIsInstance(settings["model.dropout"], float)
        self.assertEqual(settings["name"], "7")

    def test_an_override_leaves_the_original_alone(self) -> None:
        settings = Settings(DEFAULTS)
        settings.overridden(["model.depth=8"])
        self.assertEqual(settings["model.depth"], 4)

    def test_refuses_what_does_not_fit(self) -> None:
        for override in ("model.depth=deep", "model.depth=8.5", "seed=true", "model=1", "seed"):
            with self.subTest(override), self.assertRaises(SettingsError):
                Settings(DEFAULTS).overridden([override])

    def test_refuses_an_unknown_path(self) -> None:
        with self.assertRaisesRegex(SettingsError, "no setting 'model.width'"):
            Settings(DEFAULTS).overridden(["model.width=2"])


if __name__ == "__main__":
    unittest.main()
