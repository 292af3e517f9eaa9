"""The checker as a whole: the specs of the zoo are planned, without TensorFlow, and mistakes are told once and all."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from gendsl.check.checker import check
from gendsl.diagnostics import Problems
from gendsl.plan.record import hash_of, record_of
from gendsl.plan.record import plan_of as recorded
from gendsl.source import Source
from tests.check.specs import checked, codes, plan_of, spec

ROOT = Path(__file__).parents[2]
SPECS = [*sorted((ROOT / "specs").glob("*.gen")), *sorted((ROOT / "examples").glob("*.gen"))]
COUNTS = {
    "cifar_wgan_gp": {"generator": 4_276_739, "critic": 1_053_825},  # Gulrajani et al. 2017, as its header says
    "fashion_vae": {"encoder": 844_672, "decoder": 152_001},
    "grid_gan": {"generator": 33_666, "discriminator": 33_537},
}


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_a_spec_of_the_zoo_is_planned_and_gets_no_advice(path: Path) -> None:
    problems = Problems()
    plan = check(Source(path.name, path.read_text()), problems, folder=str(path.parent))
    assert plan is not None
    assert {d.rule.code for d in problems if d.severity != "hint"} <= {"missing_data"}
    assert plan.experiment == path.stem
    for name, count in COUNTS.get(path.stem, {}).items():
        assert plan.network(name).weights == count
    record = json.loads(json.dumps(record_of(plan)))
    assert recorded(record) == plan


def test_checking_and_planning_import_neither_tensorflow_nor_numpy() -> None:
    script = (
        "import sys; from gendsl.cli import main\n"
        f"paths = {[str(path) for path in SPECS]!r}\n"
        "code = main(['check', *paths])\n"
        "for path in paths: code += main(['plan', path])\n"
        "code += main(['fmt', '--check', *paths]) * 0 + main(['explain', 'conv']) + main(['words'])\n"
        "heavy = {'tensorflow', 'keras', 'numpy', 'rich', 'lark', 'PIL'} & set(sys.modules)\n"
        "sys.exit(f'imported: {heavy}' if heavy else code)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_all_mistakes_are_told_in_one_pass_in_the_order_of_the_text() -> None:
    text = spec(
        generator="network generator(z: normal(64)) -> image { dense 64 | relo | reshape 8, 8, 1 }",
        discriminator="network discriminator(x: image) -> logits(1) { flatten | dense 2 }",
        train="train { objective gan(los: hinge); optimizer adem(2e-4); steps 10.5 }",
        data="data { source digits(); image range: -1..1; batch 0 }",
    )
    assert codes(text) == [
        "not_whole",
        "unknown_word",
        "shape_mismatch",
        "unknown_argument",
        "unknown_word",
        "not_whole",
    ]


def test_one_mistake_is_told_once() -> None:
    for wrong in (
        spec(data="data { source digitz(); image range: -1..1; batch 64 }"),
        spec(data="data { source digits(); image range: -1..1; batch 64 "),
        spec(generator="network generator(z: normal(64)) -> imag { dense 64 | reshape 8, 8, 1 }"),
        spec(generator="network generator(z: normal(n)) -> image { dense 64 | reshape 8, 8, 1 }"),
        spec(generator="network generater(z: normal(64)) -> image { dense 64 | reshape 8, 8, 1 }"),
        spec(generator="network generator(z: normal(64)) -> image { dens 64 | reshape 8, 8, 1 }"),
        spec(train="trian { objective gan(); optimizer adam(2e-4); steps 10 }"),
        spec(train="train { objective gan(); optimizer adam(2e-4, beta1: 0.5); steps 10 }"),
    ):
        errors = [d for d in checked(wrong)[1] if d.severity == "error"]
        assert len(errors) == 1, [d.message for d in errors]


def test_names_in_text_that_does_not_parse_are_not_missed() -> None:
    text = spec(generator="network generator(z: normal(64)) -> image { dense 64 | | reshape 8, 8, 1 }")
    assert codes(text) == ["syntax"]


def test_a_param_is_replaced_from_outside() -> None:
    text = spec(
        "param width = 16",
        discriminator="network discriminator(x: image) -> logits(1) { flatten | dense width | dense 1 }",
    )
    assert plan_of(text).network("discriminator").weights == 64 * 16 + 16 + 17
    assert plan_of(text, width="4*8").network("discriminator").weights == 64 * 32 + 32 + 33
    assert plan_of(text, width="4*8").params == {"width": 32}
    assert checked(text, widht="3")[1][0].help == "did you mean `width`?"
    assert checked(text, width="3 +")[1][0].rule.code == "syntax"


def test_the_plan_hash_follows_the_meaning_and_not_the_spelling() -> None:
    same = spec().replace("; ", "\n  ").replace("2e-4", "0.0002")
    assert hash_of(plan_of(spec())) == hash_of(plan_of(same))
    assert hash_of(plan_of(spec())) != hash_of(plan_of(spec().replace("2e-4", "3e-4")))


def test_allow_silences_advice_in_its_block_only() -> None:
    layers = "dense 64 | reshape 2, 2, 16 | up_conv 8, kernel: 3, stride: 2 | up_conv 1, kernel: 3, stride: 2"
    loud = spec(generator=f"network generator(z: normal(64)) -> image {{ {layers} }}")
    assert codes(loud) == ["checkerboard", "checkerboard"]
    quiet = spec(
        generator=f'network generator(z: normal(64)) -> image {{ allow checkerboard, because: "a test"; {layers} }}'
    )
    assert codes(quiet) == []
    assert codes(spec('allow checkerboard, because: "everywhere"', generator=loud.splitlines()[2])) == []
    assert codes(spec('allow shape_mismatch, because: "no"')) == ["unknown_word"]


def test_the_data_is_held_against_the_spec() -> None:
    assert codes(spec(data="data { source digits(); image 28x28x1; batch 64 }")) == ["bad_data"]
    assert codes(spec(data="data { source digits(); label 7; batch 64 }"))[:1] == ["bad_data"]
    assert "out_of_range" in codes(spec(data="data { source digits(); batch 5_000 }"))
    assert plan_of(spec(data="data { source digits(); split train: 90%, test: 10%; batch 64 }")).data.examples == 1617


def test_imports_bring_params_blocks_and_objectives(tmp_path: Path) -> None:
    (tmp_path / "parts.gen").write_text("param width = 8\nblock judge(n) { flatten | dense n | relu }\n")
    text = spec(
        discriminator='import "parts.gen"\nnetwork discriminator(x: image) -> logits(1) { judge width | dense 1 }'
    )
    problems = Problems()
    plan = check(Source("test.gen", text), problems, folder=str(tmp_path))
    assert plan is not None and plan.params == {"width": 8}
    for content, code in (
        ("train { steps 3 }", "import_content"),
        ('import "parts.gen"', "circular"),
        ('import "../elsewhere.gen"', "path_outside"),
        ('import "missing.gen"', "import_failed"),
        ('import "~/x.gen"', "path_outside"),
    ):
        (tmp_path / "parts.gen").write_text(f"param width = 8\nblock judge(n) {{ flatten | dense n }}\n{content}\n")
        problems = Problems()
        check(Source("test.gen", text), problems, folder=str(tmp_path))
        assert [d.rule.code for d in problems.of("error")] == [code]


def test_a_spec_that_imports_itself(tmp_path: Path) -> None:
    text = spec('import "self.gen"')
    (tmp_path / "self.gen").write_text(text)
    problems = Problems()
    check(Source(str(tmp_path / "self.gen"), text), problems, folder=str(tmp_path))
    assert [d.rule.code for d in problems.of("error")] == ["circular"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "experiment",
        "}" * 50,
        "{" * 5000,
        "param a = " + "+".join(["1"] * 100_000),
        "param a = " + "-" * 950 + "1",
        "param a = 9^9^9^9",
        spec(generator="network generator(z: normal(64)) -> image { repeat 1_000_000_000 { relu } }"),
        spec(generator="network generator(z: normal(64)) -> image { repeat 90_000 { repeat 90_000 { } } }"),
        spec("block a() { a }", generator="network generator(z: normal(64)) -> image { a }"),
        spec("param p = q", "param q = p", generator="network generator(z: normal(p)) -> image { dense 1 }"),
    ],
    ids=lambda text: text[:24],
)
def test_hostile_specs_are_answered_by_diagnostics(text: str) -> None:
    plan, problems = checked(text)
    assert plan is None
    assert any(d.severity == "error" for d in problems)


def test_a_conditional_network_takes_the_labels_of_the_batch() -> None:
    plan = plan_of(
        spec(
            generator="network generator(z: normal(64), y: label) -> image "
            "{ from y | embed 10, 64 as e; from z | add e | dense 64 | reshape 8, 8, 1 }",
            discriminator="network discriminator(x: image, y: label) -> logits(1) "
            "{ from x | flatten as h; dense 1 as score; project h, y | add score }",
        )
    )
    call = next(
        o for o in plan.train.groups[1].operations if o.name == "call" and o.attributes["network"] == "generator"
    )
    names = [plan.train.groups[1].operations[number].name for number in call.inputs]
    assert names == ["prior", "field"]
    assert plan.sample is not None and plan.sample.inputs == ("label",)


ENDLESS = """experiment points
data { source ring(8); batch 16 }
network generator(z: normal(2)) -> point { dense 2 }
network discriminator(x: point) -> logits(1) { dense 1 }
train {
  objective gan(loss: hinge)
  optimizer adam(RATE)
  LENGTH
  checkpoint every: SAVED
}
evaluate every: SCORED { diversity }
"""


@pytest.mark.parametrize("place", ["RATE", "LENGTH", "SAVED", "SCORED"])
def test_data_without_an_end_has_no_epochs(place: str) -> None:
    steps = {"RATE": "ramp(0, 1e-3, over: 2 steps)", "LENGTH": "steps 9", "SAVED": "2 steps", "SCORED": "2 steps"}
    epochs = {place: steps[place].replace("steps 9", "epochs 9").replace("2 steps", "2 epochs")}
    text = ENDLESS
    for name, value in (steps | epochs).items():
        text = text.replace(name, value)
    assert [code for code, message in told(text) if "the data of `ring` has no end" in message] == ["unknown_unit"]


def told(text: str) -> list[tuple[str, str]]:
    problems = Problems()
    check(Source("points.gen", text), problems)
    return [(problem.rule.code, problem.message) for problem in problems]


@pytest.mark.parametrize(
    ("statement", "told", "mend"),
    [
        ("steps 10.5", "a whole number of steps above 0 is needed, and this is 10.5", "write 10 or 11"),
        ("epochs 10.5", "a whole number of epochs above 0 is needed, and this is 10.5", "write 10 or 11"),
        ("steps 0.5", "a whole number of steps above 0 is needed, and this is 0.5", "write 1"),
        ("steps -3", "a whole number of steps above 0 is needed, and this is -3", "write 1"),
        ("seed 1.5; steps 4", "and this is 1.5", "write 1 or 2, or choose numbers that divide"),
    ],
)
def test_a_count_that_is_not_whole_is_told_which_are(statement: str, told: str, mend: str) -> None:
    _, problems = checked(spec(train=f"train {{ objective gan(); optimizer adam(2e-4); {statement} }}"))
    (problem,) = [one for one in problems if one.severity == "error"]
    assert told in problem.message and problem.help == mend


def test_the_class_of_a_sample_is_seen_by_a_classifier_of_the_same_classes() -> None:
    generator = """network generator(z: normal(64), y: label) -> image {
  from y | one_hot | dense 8 as e
  from z | concat e | dense 64 | reshape 8, 8, 1
}"""
    assert codes(spec("evaluate every: 5 steps { gan_test }", generator=generator)) == []
    _, problems = checked(spec("evaluate every: 5 steps { gan_test features: pixels }", generator=generator))
    (problem,) = [one for one in problems if one.severity == "error"]
    assert "`pixels` knows others" in problem.message and problem.help == "write `gan_test features: classifier`"
    _, problems = checked(spec("evaluate every: 5 steps { class_balance features: lite0 }"))
    (problem,) = [one for one in problems if one.severity == "error"]
    assert "`class_balance` asks a classifier of the data's own classes, and `lite0` knows others" in problem.message
