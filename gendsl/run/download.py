"""A plan in, its data sets of TFDS that are not on this machine downloaded out, when a person has asked for that.

Each is prepared by a process of its own: a run sets TensorFlow's devices up itself, which is done once in a process.
"""

import subprocess
import sys

from gendsl.check.headers.tfds import data_directory, prepared_of
from gendsl.lower.errors import DataError
from gendsl.plan.plan import Plan

_PROGRAM = """
import sys
import tensorflow_datasets
try:
    tensorflow_datasets.builder(sys.argv[1], data_dir=sys.argv[2]).download_and_prepare()
except Exception as error:  # whatever TFDS, the network and the disk have to say
    sys.stdout.write("\\n" + next((line for line in str(error).splitlines() if line.strip()), type(error).__name__))
    raise SystemExit(1) from None
"""


def absent(plan: Plan) -> tuple[str, ...]:
    """The data sets of TFDS that a plan names and that are not prepared on this machine."""
    calls = [source.call for source in plan.data.sources if source.call.word == "tfds"]
    names = dict.fromkeys(str(call.arguments["name"]) for call in calls)
    return tuple(name for name in names if (found := prepared_of(name)) is None or found.directory is None)


def download(name: str) -> None:
    """Downloads and prepares a data set, however long that takes; its progress goes to standard error.

    Raises DataError where it fails."""
    command = [sys.executable, "-c", _PROGRAM, name, data_directory()]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        reason = (done.stdout.strip() or f"its process ended with {done.returncode}").splitlines()[-1]
        raise DataError(
            f'TFDS\'s "{name}" cannot be downloaded: {reason}',
            "look at its page in https://www.tensorflow.org/datasets/catalog/overview, and whether this machine may "
            "reach the web",
        )
