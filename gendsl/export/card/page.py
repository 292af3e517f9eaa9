"""A model card in, one page of HTML out that needs nothing beside it and looks like a run's report."""

from gendsl.export.card.document import Card, Cell, Code, Facts, Listing, Part, Picture, Said, Table
from gendsl.report.marking import safe
from gendsl.report.shell import shell


def page_of(card: Card) -> str:
    """The page, as HTML; every text is escaped."""
    head = f'<p class="state">model card</p><h1>{safe(card.name)}</h1><p>{safe(card.summary)}</p>'
    sections = {one.title: "".join(map(_part, one.parts)) for one in card.sections}
    return shell(f"{card.name} · model card", head, sections, "Made by gendsl; <code>card.md</code> says the same.")


def _part(part: Part) -> str:
    match part:
        case Said():
            return f"<p>{safe(part.text)}</p>"
        case Facts():
            rows = "".join(f"<div><dt>{safe(name)}</dt><dd>{_cell(value)}</dd></div>" for name, value in part.rows)
            return f'<dl class="record">{rows}</dl>'
        case Table():
            titles = "".join(f'<th scope="col">{safe(title)}</th>' for title in part.head)
            rows = "".join(f"<tr>{''.join(f'<td>{_cell(one)}</td>' for one in row)}</tr>" for row in part.rows)
            return f'<div class="wide"><table><thead><tr>{titles}</tr></thead><tbody>{rows}</tbody></table></div>'
        case Listing():
            return f'<pre class="code">{safe(part.text)}</pre>'
        case Picture():
            return (
                f'<div class="film"><figure class="picture"><figcaption>{safe(part.shows)}</figcaption>'
                f'<img src="{safe(part.data)}" alt="{safe(part.shows)}"></figure></div>'
            )


def _cell(value: Cell) -> str:
    return f"<code>{safe(value.text)}</code>" if isinstance(value, Code) else safe(value)
