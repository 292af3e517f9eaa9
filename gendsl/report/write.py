"""The folder of a run in, its `report.html` written out."""

from pathlib import Path

from gendsl.report.page import page_of
from gendsl.report.story import story_of
from gendsl.run.folder import RunFolder, write_whole


def written(folder: RunFolder) -> Path:
    """Writes what there is to tell of a run as one page, and gives its path. Raises UserError where it cannot."""
    write_whole(folder.report, page_of(story_of(folder)))
    return folder.report
