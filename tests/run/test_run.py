"""What a run leaves behind, and how it goes on: the same bits whatever interrupted it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from gendsl.frozen import replace
from gendsl.lower.errors import UserError
from gendsl.run.rebuild import rebuilt
from gendsl.vocabulary import WORDS
from gendsl.vocabulary.score_keys import shown

Run = Callable[..., Any]


def fingerprint(folder: Path, step: int) -> dict[str, Any]:
    """The bits of every variable of a checkpoint, by name."""
    reader = tf.train.load_checkpoint(str(folder / "checkpoints" / f"step-{step}" / "state"))
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith("state/")]
    assert len(names) > 20
    return {name: reader.get_tensor(name).tobytes() for name in names}


def metrics(folder: Path) -> list[dict[str, Any]]:
    records = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    return [{name: value for name, value in record.items() if name != "seconds"} for record in records]


def test_a_run_says_what_is_left_out_where_all_is_and_what_to_type_next(tiny: tuple[Path, str]) -> None:
    _, said = tiny
    assert "step 60: fid_pixels " in said and "#" not in said and "not built yet" not in said
    for words in (
        "tensorboard --logdir",
        "gendsl sample",
        "gendsl export",
        "grid-final.png",
        "checkpoints",
        "60 steps",
    ):
        assert words in said


def test_the_folder_holds_what_was_run(tiny: tuple[Path, str], tiny_text: str) -> None:
    folder, _ = tiny
    assert (folder / "spec.gen").read_text() == tiny_text
    assert json.loads((folder / "environment.json").read_text())["packages"]["tensorflow"]
    assert json.loads((folder / "data.json").read_text())["sources"][0]["word"] == "gaussians"
    assert sorted(path.name for path in (folder / "checkpoints").iterdir()) == ["step-40", "step-60"]
    assert not list(folder.rglob("*.tmp"))
    assert Image.open(folder / "samples" / "grid-final.png").size == (512, 512)
    events = [json.loads(line)["event"] for line in (folder / "events.jsonl").read_text().splitlines()]
    assert events == ["started", "finished"]


def test_metrics_stand_at_fixed_steps(tiny: tuple[Path, str]) -> None:
    folder, _ = tiny
    losses = [record["step"] for record in metrics(folder) if "generator/loss" in record]
    assert losses == list(range(1, 61))
    scores = [record for record in metrics(folder) if "evaluation" in record]
    assert [record["step"] for record in scores] == [30, 60]
    names = {shown(key) for key in scores[0]}
    assert {"fid_pixels", "diversity", "modes", "high_quality", "reverse_kl", "spread"} <= names
    contracts = json.loads((folder / "scores.json").read_text())["contracts"]
    assert {key.partition("#")[2] for key in scores[0] if "#" in key} == set(contracts)


def test_tensorboard_has_scalars_pictures_and_the_spec(tiny: tuple[Path, str]) -> None:
    folder, _ = tiny
    found = EventAccumulator(str(folder / "logs"), size_guidance={"tensors": 0})
    found.Reload()
    tags = {shown(tag) for tag in found.Tags()["tensors"]}
    assert {"generator/loss", "discriminator/loss", "scores/diversity", "samples/point", "spec", "plan"} <= tags
    assert [event.step for event in found.Tensors("generator/loss")] == list(range(1, 61))
    picture = found.Tensors("samples/point")[-1].tensor_proto.string_val
    assert picture[0] == b"512" and picture[2].startswith(b"\x89PNG")


def test_an_interrupted_run_goes_on_bit_for_bit(
    tiny: tuple[Path, str], tmp_path: Path, run_tiny: Run, tiny_text: str
) -> None:
    folder, _ = tiny
    part = tmp_path / "part"
    outcome, said = run_tiny(tiny_text, part, steps=27)
    assert outcome.step == 27 and "schedules keep the spec's 60" in said
    outcome, said = run_tiny(tiny_text, part, resume=True)
    assert outcome.step == 60 and "going on at step 27 of 60" in said
    assert fingerprint(part, 60) == fingerprint(folder, 60)
    at_the_end = [record for record in metrics(part) if record["step"] == 60]
    assert at_the_end == [record for record in metrics(folder) if record["step"] == 60]
    assert (part / "samples" / "grid-final.png").read_bytes() == (folder / "samples" / "grid-final.png").read_bytes()


def test_a_damaged_checkpoint_falls_back_and_ends_at_the_same_bits(
    tiny: tuple[Path, str], tmp_path: Path, run_tiny: Run, tiny_text: str
) -> None:
    part = tmp_path / "part"
    run_tiny(tiny_text, part, steps=45)
    data = next((part / "checkpoints" / "step-45").glob("state.data*"))
    content = bytearray(data.read_bytes())
    content[7] ^= 64
    data.write_bytes(content)
    _, said = run_tiny(tiny_text, part, resume=True)
    assert "step-45 was passed over" in said and "going on at step 40" in said
    assert fingerprint(part, 60) == fingerprint(tiny[0], 60)
    assert metrics(part) == metrics(tiny[0])


def test_resume_starts_where_there_is_nothing(tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    outcome, said = run_tiny(tiny_text, tmp_path / "new", resume=True, steps=0)
    assert outcome.finished and "training 0 steps" in said
    assert (tmp_path / "new" / "samples" / "grid-final.png").is_file()


def test_what_cannot_go_on_is_refused(tiny: tuple[Path, str], tmp_path: Path, run_tiny: Run, tiny_text: str) -> None:
    folder, _ = tiny
    with pytest.raises(UserError, match="holds a finished run of this spec"):
        run_tiny(tiny_text, folder)
    with pytest.raises(
        UserError, match=r"is not that of the run in .*\n  network generator, layer 1 dense: units 16 -> 8"
    ):
        run_tiny(tiny_text.replace("dense 16", "dense 8", 1), folder, resume=True)
    with pytest.raises(UserError, match="more than the 60 steps"):
        run_tiny(tiny_text, tmp_path / "new", steps=61)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.tex").touch()
    with pytest.raises(UserError, match="not the folder of a run"):
        run_tiny(tiny_text, tmp_path / "mine")


UNBUILT = """experiment words
data { source text("*.txt"), tokenizer: bytes(); window 8; batch 2 }
network model(tokens: text) -> categorical(text.vocabulary) { embed text.vocabulary, 4 | dense text.vocabulary }
train { update model, with: adam(1e-3) { minimize next_token(model, text) }; steps 2 }
sample { text = generate(model, length: 4) }
"""


def test_what_changes_the_training_and_is_not_built_is_refused(
    tmp_path: Path, run_tiny: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("next_token", "generate"):
        monkeypatch.setitem(WORDS["function"], name, replace(WORDS["function"][name], runs=False))
    with pytest.raises(UserError, match="`next_token`, `generate` cannot be run yet"):
        run_tiny(UNBUILT, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_weights(
    tmp_path: Path, run_tiny: Run, tiny_text: str
) -> None:
    text = tiny_text.replace("adam(linear_decay(1e-3, 0), beta_1: 0.5)", "sgd(1e30)")
    with pytest.raises(UserError, match="diverged at step"):
        run_tiny(text, tmp_path / "new")
    events = (tmp_path / "new" / "events.jsonl").read_text()
    assert "diverged" in events


def test_the_state_is_rebuilt_from_the_folder_alone(tiny: tuple[Path, str]) -> None:
    folder, _ = tiny
    run = rebuilt(folder)
    assert run.step == 60 and run.plan.experiment == "tiny"
    first = run.experiment.sample(4, 1)["point"].numpy()
    assert np.isfinite(first).all() and (first == rebuilt(folder).experiment.sample(4, 1)["point"].numpy()).all()


def test_a_plan_that_was_changed_by_hand_is_refused(tiny: tuple[Path, str], tmp_path: Path) -> None:
    folder, _ = tiny
    record = json.loads((folder / "plan.json").read_text())
    record["plan"]["experiment"] = "other"
    (tmp_path / "plan.json").write_text(json.dumps(record))
    with pytest.raises(UserError, match="was changed"):
        rebuilt(tmp_path)
