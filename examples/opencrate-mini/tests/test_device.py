import unittest

from opencrate_mini import Device, choose_device


class DeviceTest(unittest.TestCase):
    def test_a_cpu_image_never_uses_a_gpu(self) -> None:
        environment = {"OPENCRATE_RUNTIME": "cpu", "CUDA_VISIBLE_DEVICES": "0"}
        self.assertEqual(choose_device(environment), Device("cpu"))

    def test_a_cuda_image_uses_the_first_visible_gpu(self) -> None:
        environment = {"OPENCRATE_RUNTIME": "cuda", "CUDA_VISIBLE_DEVICES": "2,3"}
        self.assertEqual(str(choose_device(environment)), "cuda:2")

    def test_a_cuda_image_without_a_gpu_falls_back(self) -> None:
        for visible in ("", " ", "-1"):
            with self.subTest(visible):
                environment = {"OPENCRATE_RUNTIME": "cuda", "CUDA_VISIBLE_DEVICES": visible}
                self.assertEqual(choose_device(environment), Device("cpu"))

    def test_refuses_an_unknown_runtime(self) -> None:
        with self.assertRaisesRegex(ValueError, "not 'tpu'"):
            choose_device({"OPENCRATE_RUNTIME": "tpu"})


if __name__ == "__main__":
    unittest.main()
