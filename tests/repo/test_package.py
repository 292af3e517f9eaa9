"""The package as it is built: its packages are the tree's, wheel and sdist work installed outside the checkout."""

import os
import subprocess
import sys
import tarfile
import tomllib
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PARTS = ("gendsl", "grammar", "specs", "docs", "tests", "benchmarks", "examples", ".ci", "pyproject.toml", "README.md",
         "LICENSE", "CHANGELOG.md")  # fmt: skip


def test_the_list_of_packages_is_the_tree() -> None:
    tree = {".".join(path.parent.relative_to(ROOT).parts) for path in (ROOT / "gendsl").rglob("*.py")}
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == tree | {"gendsl.grammar"}
    assert all((ROOT / name.replace(".", "/") / "__init__.py").exists() for name in tree)


def test_versions_agree() -> None:
    import gendsl

    assert PROJECT["project"]["version"] == gendsl.__version__
    assert f"## [{gendsl.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_no_path_of_a_machine_is_committed() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a clone")
    home = str(Path.home())
    for name in filter(None, listed.stdout.split("\0")):
        path = ROOT / name
        if path.is_file() and path.suffix in (".py", ".md", ".gen", ".txt", ".toml", ".json", ".yml", ""):
            text = path.read_text(encoding="utf-8", errors="replace")
            assert str(ROOT) + "/" not in text, name
            assert len(home) < 6 or home + "/" not in text, name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of a copy of the tree."""
    import shutil

    copy = tmp_path_factory.mktemp("source") / "gendsl"
    copy.mkdir()
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        elif (ROOT / part).exists():
            shutil.copy(ROOT / part, copy / part)
    out = tmp_path_factory.mktemp("dist")
    for kind in ("--wheel", "--sdist"):
        subprocess.run(
            [sys.executable, "-m", "build", "--no-isolation", kind, "--outdir", str(out), str(copy)],
            check=True,
            capture_output=True,
        )
    return out


@pytest.mark.slow
def test_the_wheel_holds_every_file(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    wanted = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "gendsl").rglob("*")
        if path.suffix in (".py", ".gen", ".json", ".typed", ".css", ".html", ".js") and "__pycache__" not in path.parts
    }
    assert wanted - names == set()
    assert {"gendsl/grammar/gen.lark", "gendsl/grammar/__init__.py"} <= names
    assert not [name for name in names if name.startswith(("tests/", "specs/"))]


@pytest.mark.slow
def test_the_sdist_holds_what_a_build_needs(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    for wanted in (
        "README.md",
        "LICENSE",
        "pyproject.toml",
        "grammar/gen.lark",
        "gendsl/prelude/gan.gen",
        "gendsl/py.typed",
    ):
        assert wanted in names, wanted


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["*.whl", "*.tar.gz"])
def test_it_works_installed_elsewhere(built: Path, kind: str, tmp_path: Path) -> None:
    """In an environment of its own, away from the checkout; what it depends on is lent by this one."""
    place = tmp_path / "environment"
    venv.create(place, with_pip=False)
    (package,) = built.glob(kind)
    site = next(place.glob("lib/python*/site-packages"))
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--no-build-isolation", "--no-index", "--quiet",
         "--target", str(site), str(package)],
        check=True, cwd=tmp_path,
    )  # fmt: skip
    spec = tmp_path / "digits_gan.gen"
    spec.write_text((ROOT / "specs/digits_gan.gen").read_text(encoding="utf-8"), encoding="utf-8")
    python = str(place / "bin" / "python")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}

    def gendsl(*arguments: str) -> str:
        done = subprocess.run(
            [python, "-I", "-m", "gendsl", *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "digits_gan.gen: fine" in gendsl("check", "digits_gan.gen")
    assert "198,721" in gendsl("plan", "digits_gan.gen")
    assert "objective gan" in gendsl("plan", "digits_gan.gen", "--expand")
    assert gendsl("explain", "conv").startswith("conv: a layer")
    assert gendsl("explain", "keras.Conv3D")
    gendsl("new", "mine", "--template", "wgan_gp")
    assert "mine.gen: fine" in gendsl("check", "mine.gen")
    where = subprocess.run(
        [python, "-I", "-c", "import gendsl; print(gendsl.__file__)"], capture_output=True, text=True, check=True
    )
    assert where.stdout.startswith(str(place))
