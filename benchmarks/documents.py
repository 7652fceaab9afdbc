"""What a document costs: PDF with its e-invoice, beside Typst setting the same text alone, in the same run.

    .venv/bin/python -m benchmarks.documents [rounds]

The floor is the compiler by itself: the same template and text, no e-invoice to write, attach and describe, nothing to
format. Each round takes both, in turn, so that a busy machine slows both; `floor` and `whole` are medians by the clock.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from statistics import median, quantiles

from benchmarks.conditions import conditions, table
from billing.documents import pdf
from billing.documents.content import InvoiceContent
from billing.documents.printing import printed
from billing.einvoice.cii import cii_xml
from tests.billing.papers import DRAFT, STANDARD, long_appendix


def with_lines(count: int, days: int = 0) -> InvoiceContent:
    return replace(STANDARD, lines=(STANDARD.lines * count)[:count], usage=long_appendix(days) if days else ())


CASES = {
    "draft, 3 lines": DRAFT,
    "3 lines": with_lines(3),
    "15 lines": with_lines(15),
    "15 lines, 30 days of 5 meters": with_lines(15, 30),
    "150 lines, 300 days of 5 meters (x10)": with_lines(150, 300),
}


def whole(content: InvoiceContent) -> bytes:
    return pdf.render(content, xml=b"" if content.is_draft else cii_xml(content))


def floor_of(content: InvoiceContent) -> Callable[[InvoiceContent], bytes]:
    """Return what compiles a document's text as it was formatted before."""

    def bare(changed: InvoiceContent) -> bytes:
        texts = {**ready, "number": changed.number, "total": [ready["total"][0], str(changed.subtotal)]}
        inputs = {"document": json.dumps(texts, ensure_ascii=False), "logo": "", "xml": ""}
        return pdf._compile(inputs, int(content.as_of.timestamp()))

    ready = printed(content)
    return bare


def milliseconds(work: Callable[[InvoiceContent], bytes], content: InvoiceContent) -> tuple[float, float]:
    """Return what it took by the clock and of the processor."""
    start, busy = time.perf_counter(), time.process_time()
    work(content)
    return (time.perf_counter() - start) * 1000, (time.process_time() - busy) * 1000


def measure(name: str, content: InvoiceContent, rounds: int) -> list[str]:
    """Return a row of the table; the documents differ from each other as those of many customers do."""
    bare = floor_of(content)
    floors, wholes = [], []
    for number in range(rounds):
        one = replace(
            content, number=content.number and f"INV-{number:06}", subtotal=content.subtotal + Decimal(number)
        )
        floors.append(milliseconds(bare, one))
        wholes.append(milliseconds(whole, one))
    clock, floor = ([one for one, _ in taken] for taken in (wholes, floors))
    busy, floor_busy = (median(one for _, one in taken) for taken in (wholes, floors))
    figures = [median(floor), median(clock), quantiles(clock, n=20)[-1], floor_busy, busy]
    return [name, *(f"{figure:.1f}" for figure in figures), f"{busy / floor_busy:.2f}"]


def main() -> None:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    print(conditions())
    first, _ = milliseconds(whole, STANDARD)
    print(f"first     {first:.0f} ms for the first document of a process: fonts and template are read\n")
    rows = [measure(name, one, max(6, rounds // 8) if "x10" in name else rounds) for name, one in CASES.items()]
    print(table(["ms a document", "floor", "whole", "p95", "floor CPU", "whole CPU", "ratio"], rows))
    print(f"\nmost memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
