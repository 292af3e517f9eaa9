"""A run and one of its checkpoints in, `card.md` and `card.html` written into a folder out."""

from collections.abc import Sequence
from pathlib import Path

from gendsl.export.card.facts import card_of
from gendsl.export.card.markdown import markdown_of
from gendsl.export.card.page import page_of
from gendsl.export.chain import Origin, origin_of
from gendsl.report.story import story_of
from gendsl.run.folder import RunFolder, plan_in, steps_done, write_whole


def write_card(run: RunFolder, into: Path, *, origin: Origin | None = None, notes: Sequence[str] = ()) -> None:
    """Writes the card of a checkpoint (the newest, without an `origin`) as Markdown and as a page. Raises UserError.

    `notes` are what the export was let pass with."""
    found = origin or origin_of(run.path, run.checkpoints / f"step-{steps_done(run)}")
    beside = into.resolve() == run.path.resolve()
    card = card_of(story_of(run), plan_in(run), found, notes=notes, beside=beside)
    write_whole(into / "card.md", markdown_of(card))
    write_whole(into / "card.html", page_of(card))
