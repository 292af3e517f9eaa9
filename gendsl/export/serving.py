"""`export/` of a run in, what TensorFlow Serving is started with out: its configurations, a compose file, a README."""

from gendsl.export import clients
from gendsl.export.models import Model, models_in
from gendsl.export.place import Place
from gendsl.run.folder import write_whole

IMAGE = "tensorflow/serving:2.21.0"

_BATCHING = """\
# How many rows of different requests are computed at once, and how long the first of them waits for others.
max_batch_size { value: 64 }
batch_timeout_micros { value: 2000 }
max_enqueued_batches { value: 256 }
num_batch_threads { value: 4 }
"""

_COMPOSE = """\
# docker compose up                      gRPC at localhost:8500, REST at localhost:8501
# docker compose --profile batching up   also 8510 and 8511, where requests are computed together: see README.md
services:
  serving:
    image: {image}
    command: --model_config_file=/models/models.config
    ports: ["127.0.0.1:8500:8500", "127.0.0.1:8501:8501"]
    volumes: [".:/models:ro"]
  batching:
    image: {image}
    profiles: [batching]
    command: >-
      --model_config_file=/models/models.config --enable_model_warmup=false
      --enable_batching --batching_parameters_file=/models/batching.config
    ports: ["127.0.0.1:8510:8500", "127.0.0.1:8511:8501"]
    volumes: [".:/models:ro"]
"""

_README = """\
# {title}

Models that gendsl exported, for [TensorFlow Serving](https://www.tensorflow.org/tfx/guide/serving).

## Start

In this folder:

```sh
docker run --rm -p 127.0.0.1:8500:8500 -p 127.0.0.1:8501:8501 -v "$PWD:/models:ro" \\
  {image} --model_config_file=/models/models.config
```

or `docker compose up`. A new version that is put beside the others is loaded without a restart. For a GPU take the
image `{image}-gpu` and `docker run --gpus all`. To try them without Docker: `gendsl serve .`

## Call

`sh client.sh` calls each model over REST, `python client.py` over gRPC (`pip install tensorflow-serving-api`).
TensorFlow Serving knows no defaults: send every input of a signature. An output whose name ends in `_bytes` is
`{{"b64": …}}` in JSON.

{models}
## Requests computed together

With `--enable_batching` (in `compose.yaml`: `--profile batching`), TensorFlow Serving joins the rows of requests that
arrive within the time in `batching.config`. It can do so only where every input has a row for each sample{batched}. The
others take one number for all samples, such as `n` or `seed`, and are refused by a server that batches: so two servers
are told of. Warm-up requests are for all signatures, and switched off there.
"""


def write_serving_files(place: Place) -> None:
    """Writes all that lies beside the models, anew for all that are there. Raises UserError."""
    models = models_in(place)
    if not models:
        return
    files = {
        "models.config": _config(models),
        "batching.config": _BATCHING,
        "compose.yaml": _COMPOSE.format(image=IMAGE),
        "README.md": _readme(models),
        "client.sh": clients.shell(models),
        "client.py": clients.python(models),
    }
    for name, content in files.items():
        write_whole(place.path / name, content)


def _config(models: list[Model]) -> str:
    """In the text format of protocol buffers."""
    lines = ["model_config_list {"]
    for model in models:
        lines += [
            "  config {",
            f'    name: "{model.name}"',
            f'    base_path: "/models/{model.name}"',
            '    model_platform: "tensorflow"',
            "  }",
        ]
    return "\n".join([*lines, "}", ""])


def _readme(models: list[Model]) -> str:
    batched = [f"`{one.name}` of `{model.name}`" for model in models for one in model.signatures if one.batched]
    return _README.format(
        title=", ".join(model.name for model in models),
        image=IMAGE,
        models="\n".join(_about(model) for model in models),
        batched=f": {', '.join(batched)}" if batched else ", and here no signature is such",
    )


def _about(model: Model) -> str:
    lines = [f"### {model.name}", "", "| signature | inputs | outputs | |", "| --- | --- | --- | --- |"]
    for one in model.signatures:
        cells = [_ports(one.inputs), _ports(one.outputs)]
        lines.append(f"| `{one.name}` | {' | '.join(cells)} | {one.doc} |")
    return "\n".join([*lines, ""])


def _ports(ports: tuple[tuple[str, str, tuple[int | None, ...]], ...]) -> str:
    return ", ".join(
        f"`{name}` {dtype}" + (f" ({', '.join('n' if size is None else str(size) for size in shape)})" if shape else "")
        for name, dtype, shape in ports
    )
