"""TF-GAN's leaves import without its top level, in a process of its own."""

import subprocess
import sys


def test_losses_import_without_the_top_level() -> None:
    code = (
        "import sys\n"
        "from gendsl.lower.tfgan import losses\n"
        "assert losses.wasserstein_generator_loss([[1.0], [3.0]]).numpy() == -2\n"
        "assert 'tensorflow_gan.python.train' not in sys.modules and 'tensorflow_probability' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
