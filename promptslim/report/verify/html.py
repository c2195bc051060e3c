"""A comparison as one HTML file: no scripts, nothing loaded from elsewhere, every text escaped."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence

from promptslim.core.verification import ChangedItem, Verification
from promptslim.report.escape import character
from promptslim.report.verify import words

MOST_COMPARED = 4000
"""Words up to which two texts are compared word by word; longer ones stand beside each other."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}
table{border-collapse:collapse}td,th{padding:.25rem .8rem;border-bottom:1px solid #ddd;text-align:right}
td:first-child,th:first-child{text-align:left}
.PASS{color:#11691f}.FAIL{color:#a3151c}.INCONCLUSIVE{color:#7a5200}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f6f6;padding:.6rem}
del{background:#fbd5d5}ins{background:#cfeed4;text-decoration:none}
.note{color:#555}svg{max-width:100%;height:auto}details{margin:.4rem 0}summary{cursor:pointer}
@media(prefers-color-scheme:dark){body{color:#e6e6e6;background:#161616}pre{background:#222}td,th{border-color:#444}
.PASS{color:#6fd482}.FAIL{color:#ff8c91}.INCONCLUSIVE{color:#e9be63}del{background:#5c2226}ins{background:#1d4a28}
.note{color:#aaa}}
"""


def render(report: Verification) -> Iterator[str]:
    """The chunks of the page."""
    title = f"{report.decision}: {report.prompt}"
    yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield f"<title>{text(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
    yield f'<h1><span class="{report.decision}">{report.decision}</span> {text(report.prompt)}</h1>\n'
    yield f"<p>{text(report.reason)}</p>\n"
    yield _chart(report)
    yield from _figures(report)
    yield from _facts(report)
    yield "<h2>The prompt</h2>\n<pre>" + _compared(report.before_text, report.after_text) + "</pre>\n"
    if report.changed:
        yield f"<h2>{len(report.changed)} tests with another grade</h2>\n"
        for item in report.changed:
            yield _item(item)
    yield "</body>\n</html>\n"


def text(value: str) -> str:
    """Untrusted text on one line, escaped for HTML."""
    return html.escape("".join(map(character, value)))


def block(value: str) -> str:
    """Untrusted text with its lines and tabs, escaped for HTML."""
    return html.escape("".join(char if char in "\n\t" else character(char) for char in value))


def _figures(report: Verification) -> Iterator[str]:
    yield "<table>\n<tr><th></th><th>original</th><th>shorter</th><th>change</th></tr>\n"
    for row in words.rows(report):
        cells = "".join(f"<td>{text(cell)}</td>" for cell in row)
        yield f"<tr>{cells}</tr>\n"
    yield f'</table>\n<p class="note">{text(words.basis(report))}</p>\n'


def _facts(report: Verification) -> Iterator[str]:
    yield "<ul>\n"
    facts = [f"loss: {words.loss(report)}", f"margin: {words.points(report.margin)} points", words.size(report)]
    if need := words.more(report):
        facts.append(f"needs {need}")
    for part in report.critical:
        worse = f"{len(part.worse)} got worse" if part.worse else f"none got worse, up to {100 * part.upper:.1f} % may"
        facts.append(f"critical slice {part.name}: {part.items} tests, {worse}")
    for noise in report.noise:
        facts.append(f"noise of {noise.grader}: {100 * noise.discordance:.0f} % of {noise.items} tests")
    facts += [f"look {words.look(report)}", f"model {report.model}", f"spent {words.spent(report)}", *report.notes]
    if report.lock:
        facts.append(f"proof: {report.lock}, {report.evidence}; holds on {report.suite}, and says nothing beyond it")
    for fact in facts:
        yield f"<li>{text(fact)}</li>\n"
    yield "</ul>\n"


def _item(item: ChangedItem) -> str:
    grades = f"{_grade(item.old)} to {_grade(item.new)}"
    reason = f"<p>{text(item.reason)}</p>" if item.reason else ""
    answers = ""
    if item.old_text is not None and item.new_text is not None:
        answers = f"<pre>{_compared(item.old_text, item.new_text)}</pre>"
    return f"<details><summary>{item.kind}: {text(item.item)} ({grades})</summary>{reason}{answers}</details>\n"


def _grade(value: float | None) -> str:
    return "no grade" if value is None else f"{value:.3g}"


def _compared(before: str, after: str) -> str:
    """Both texts in one, what goes and what comes marked word by word."""
    old, new = _words(before), _words(after)
    if len(old) + len(new) > MOST_COMPARED:
        return f"<del>{block(before)}</del>\n<ins>{block(after)}</ins>"
    from rapidfuzz.distance import Indel

    pieces = []
    gone = come = ""
    for step in Indel.opcodes(old, new):
        if step.tag == "equal":
            pieces += [_marked(gone, come), block("".join(old[step.src_start : step.src_end]))]
            gone = come = ""
        else:
            gone += block("".join(old[step.src_start : step.src_end]))
            come += block("".join(new[step.dest_start : step.dest_end]))
    return "".join([*pieces, _marked(gone, come)])


def _marked(gone: str, come: str) -> str:
    return (f"<del>{gone}</del>" if gone else "") + (f"<ins>{come}</ins>" if come else "")


def _words(value: str) -> list[str]:
    found: list[str] = []
    word = ""
    for char in value:
        if char.isspace() != word[-1:].isspace() and word:
            found.append(word)
            word = ""
        word += char
    return [*found, word] if word else found


_WIDTH, _HEIGHT, _LEFT, _RIGHT = 640, 110, 20, 620


def _chart(report: Verification) -> str:
    """The loss with its bounds on a line, and the margin."""
    low, high = report.lower, report.upper
    if low is None or high is None:
        return ""
    ends = _ends([low, high, report.loss, report.margin, 0.0])

    def x(share: float) -> float:
        return round(_LEFT + (share - ends[0]) / (ends[1] - ends[0]) * (_RIGHT - _LEFT), 1)

    label = (
        f"loss {words.points(report.loss)} points, from {words.points(low)} to {words.points(high)}; "
        f"margin {words.points(report.margin)} points"
    )
    zero, margin = x(0.0), x(report.margin)
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{text(label)}" '
        'fill="currentColor" stroke="currentColor" font-size="12">\n'
        f'<line x1="{_LEFT}" x2="{_RIGHT}" y1="80" y2="80" stroke-opacity=".3"/>\n'
        f'<line x1="{zero}" x2="{zero}" y1="30" y2="80" stroke-opacity=".3"/>\n'
        f'<line x1="{margin}" x2="{margin}" y1="30" y2="80" stroke-dasharray="4 3"/>\n'
        f'<line x1="{x(low)}" x2="{x(high)}" y1="55" y2="55" stroke-width="4" stroke-opacity=".5"/>\n'
        f'<circle cx="{x(report.loss)}" cy="55" r="6"/>\n'
        f'<g stroke="none"><text x="{zero}" y="98" text-anchor="middle">0</text>'
        f'<text x="{margin}" y="22" text-anchor="middle">margin {words.points(report.margin)}</text>'
        f'<text x="{x(report.loss)}" y="44" text-anchor="middle">{words.points(report.loss)}</text>'
        f'<text x="{x(low)}" y="74" text-anchor="middle">{words.points(low)}</text>'
        f'<text x="{x(high)}" y="74" text-anchor="middle">{words.points(high)}</text>'
        f'<text x="{_RIGHT}" y="98" text-anchor="end">points lost by the shorter prompt</text></g>\n</svg>\n'
    )


def _ends(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    room = max(high - low, 0.01) * 0.08
    return low - room, high + room
