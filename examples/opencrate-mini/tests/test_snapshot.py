import tempfile
import unittest
from pathlib import Path

from opencrate_mini import Snapshot, SnapshotStore


class SnapshotTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.store = SnapshotStore(Path(folder.name) / "snapshots")

    def test_an_empty_store_has_no_latest(self) -> None:
        self.assertIsNone(self.store.latest())

    def test_latest_is_the_highest_step(self) -> None:
        for step in (9, 10, 2):
            self.store.save(Snapshot(step, {"loss": 1 / step}))
        self.assertEqual(self.store.latest(), Snapshot(10, {"loss": 0.1}))

    def test_the_digest_depends_on_the_state_only(self) -> None:
        one = Snapshot(1, {"a": 1, "b": 2})
        same = Snapshot(1, {"b": 2, "a": 1})
        self.assertEqual(one.digest(), same.digest())
        self.assertNotEqual(one.digest(), Snapshot(2, one.state).digest())

    def test_a_damaged_snapshot_is_refused(self) -> None:
        path = self.store.save(Snapshot(1, {"loss": 0.5}))
        path.write_text(path.read_text().replace("0.5", "0.4"))
        with self.assertRaisesRegex(ValueError, "damaged"):
            self.store.latest()

    def test_leaves_no_temporary_file(self) -> None:
        self.store.save(Snapshot(1, {}))
        self.assertEqual([path.name for path in self.store.folder.iterdir()], ["00000001.json"])


if __name__ == "__main__":
    unittest.main()
