"""Specs in, figures out: `gendsl check` as a whole process against a bare interpreter, and how its cost grows.

python benchmarks/check.py           prints the table; exits 1 when a bar is missed
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# As an installed package runs: with its compiled modules kept.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
TIMES, RATIO, GROWTH, SECONDS = 10, 10.0, 2.3, 4.0


def seconds(*command: str) -> float:
    """Wall-clock seconds of a process of this interpreter."""
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, *command], check=True, capture_output=True, cwd=tempfile.gettempdir(), env=ENVIRONMENT
    )
    return time.perf_counter() - began


def spec_of(layers: int) -> str:
    """A spec with so many layers in one network."""
    body = "  conv 8 | relu\n" * (layers // 2)
    return f"""experiment long
data {{
  source digits()
  image range: -1..1
  batch 64
}}
network generator(z: normal(64)) -> image {{
  dense 64 | reshape 8, 8, 1
{body}  conv 1 | tanh
}}
network discriminator(x: image) -> logits(1) {{ flatten | dense 1 }}
train {{
  objective gan()
  optimizer adam(2e-4)
  steps 10
}}
"""


def main() -> int:
    """Prints all figures; 1 when one is beyond its bar."""
    missed = False
    bare_times, results = [], {}
    specs = sorted((ROOT / "specs").glob("*.gen"))
    seconds("-m", "gendsl", "check", str(specs[0]))  # compiled modules, warm files
    for spec in specs:
        bares, checks = [], []
        for _ in range(TIMES):  # in turns, so that a busy machine slows both
            bares.append(seconds("-c", "pass"))
            checks.append(seconds("-m", "gendsl", "check", str(spec)))
        bare_times += bares
        results[spec.name] = statistics.median(checks), statistics.median(checks) / statistics.median(bares)
    print(f"{'python -c pass':<28}{statistics.median(bare_times) * 1000:7.0f} ms")
    for name, (middle, ratio) in results.items():
        missed |= ratio > RATIO
        print(f"{name:<28}{middle * 1000:7.0f} ms{ratio:7.1f} times  (at most {RATIO:g})")
    with tempfile.TemporaryDirectory() as folder:
        times = {}
        for layers in (4_000, 8_000):
            path = os.path.join(folder, f"{layers}.gen")
            Path(path).write_text(spec_of(layers), encoding="utf-8")
            times[layers] = statistics.median(seconds("-m", "gendsl", "check", path) for _ in range(3))
            print(f"{f'{layers:,} layers':<28}{times[layers] * 1000:7.0f} ms")
    growth = times[8_000] / times[4_000]
    print(f"{'growth':<28}{growth:7.2f}     (at most {GROWTH:g}, and 8,000 layers under {SECONDS:g} s)")
    missed |= growth > GROWTH or times[8_000] > SECONDS
    return int(missed)


if __name__ == "__main__":
    sys.exit(main())
