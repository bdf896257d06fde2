"""
Writes the figures of `docs/reports.md`, and draws `docs/pictures/reports.png`. Run it by hand, with
`rma[codec]` and `matplotlib` installed:

    python benchmarks/report_figures.py [returns]

It simulates 100,000 returns (`simulated_returns.py`), runs the reports of `examples/reports.py` over their
events, and prints the figures, if what they say was paid is what the gateway moved. With another number of
returns it prints only. It takes about half an hour.
"""

import platform
import re
import sqlite3
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from time import perf_counter

from simulated_returns import BATCH, CURRENCIES, REASONS, RETURNS, ROOT, START, TODAY, Shop, simulate

import reports  # isort: skip # an example, where the import above finds it

#: The reports of the example that the figures are of.
REPORTS = ("by_reason", "by_item", "by_grade", "by_status", "days_to_refund", "money_kept", "open_liability")
LABELS = {each.id: each.label for each in REASONS}
DAYS = (50, 90, 99)


def major(amount: int, currency: str) -> str:
    """An amount in major units, for readers."""
    digits = len(str(CURRENCIES[currency][2])) - 1
    return f"{amount / 10**digits:,.{digits}f}"


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> list[str]:
    """Lines of Markdown; every column but the first is of numbers."""
    names = list(head)
    lines = [names, ["---", *["---:"] * (len(names) - 1)], *[[str(cell) for cell in row] for row in rows]]
    return ["", *[f"| {' | '.join(line)} |" for line in lines], ""]


def figures(database: sqlite3.Connection, shop: Shop) -> str:
    """What the page says of so many simulated returns, in Markdown."""
    sold = sum(shop.sold.values())
    what = f"{shop.requested:,} returns, exchanges and claims, seed {shop.seed}"
    lines = [f"{what}, of {sold:,} units sold between {START:%Y-%m-%d} and {TODAY:%Y-%m-%d}:"]
    found = reports.by_reason(database)
    whole = sum([units for _, units, _, _ in found])
    lines += ["", "Why, by `by_reason`: units that customers requested, their part, and those that arrived."]
    lines += table(
        ("reason", "requested", "part", "arrived"),
        [
            (LABELS.get(reason or "", "not requested"), f"{units:,}", f"{units / whole:.1%}", f"{back:,}")
            for reason, units, back, _ in found
        ],
    )
    lines += ["What, by `by_item`: units that returned, as a part of those sold."]
    rates = reports.by_item(database, shop.sold)
    lines += table(("item", "returned", "rate"), [(item, f"{n:,}", f"{rate:.1%}") for item, n, rate in rates])
    grades = reports.by_grade(database)
    lines += ["How they were, by `by_grade`: the part of each grade."]
    lines += table(("reason", *"ABCD"), [(LABELS[each], *parts_of(grades, each)) for each in LABELS])
    lines += ["How they ended, by `by_status`: the part of returns and of exchanges."]
    lines += table(("status", "returns", "exchanges"), status_rows(reports.by_status(database)))
    days = reports.days_to_refund(database, *DAYS)
    parts = [f"{percent} % in {each:.1f} days or less" for percent, each in zip(DAYS, days, strict=True)]
    lines += [f"How long, by `days_to_refund`: {', '.join(parts)}, from the request to the last refund."]
    lines += ["", "What was kept, by `money_kept`, in each currency by itself:"]
    kept = {(name, currency): amount for currency, name, amount in reports.money_kept(database)}
    causes = sorted({name for name, _ in kept}, key=lambda name: -kept.get((name, "eur"), 0))
    lines += table(
        ("cause", *CURRENCIES),
        [[f"`{name}`", *[major(kept.get((name, each), 0), each) for each in CURRENCIES]] for name in causes],
    )
    lines += [f"What is open on {TODAY:%Y-%m-%d}, by `open_liability`:"]
    liability = reports.open_liability(database, TODAY)
    lines += table(
        ("currency, age in days", "due and not paid", "on its way", "expected"),
        [
            (f"{currency}, {up_to(age)}", *[major(amount, currency) for amount in amounts])
            for (currency, age), amounts in sorted(liability.items(), key=oldest_last)
        ],
    )
    return "\n".join(lines).rstrip()


def up_to(age: int | None) -> str:
    """An age in words."""
    return "older" if age is None else f"up to {age}"


def oldest_last(row: tuple[tuple[str, int | None], object]) -> tuple[int, float]:
    """A key to sort by: the currency, then the age."""
    (currency, age), _ = row
    return list(CURRENCIES).index(currency), float("inf") if age is None else age


def parts_of(grades: Iterable[tuple[str, str | None, int]], reason: str) -> list[str]:
    """The part of each grade among the units of a reason."""
    units = Counter({grade: number for grade, why, number in grades if why == reason})
    return [f"{units[each] / max(1, units.total()):.0%}" for each in "ABCD"]


def status_rows(counts: Iterable[tuple[str, str, int]]) -> list[tuple[str, str, str]]:
    """The part of each status among returns and among exchanges."""
    by_kind: dict[str, Counter[str]] = {"return": Counter(), "exchange": Counter()}
    for kind, status, number in counts:
        if kind in by_kind:
            by_kind[kind][status] += number
    statuses = sorted({*by_kind["return"], *by_kind["exchange"]})
    return [
        (each, *[f"{known[each] / max(1, known.total()):.1%}" for known in by_kind.values()])  # type: ignore[misc] # of two kinds
        for each in statuses
    ]


def draw(database: sqlite3.Connection, shop: Shop, path: Path) -> None:
    """Draws rates, days, money kept and liability; money in euros alone."""
    import matplotlib as mpl  # noqa: PLC0415 # only who draws needs it

    mpl.use("Agg")
    from matplotlib import pyplot as plt  # noqa: PLC0415 # after the choice of how to draw

    picture, ((rates, days), (kept, liability)) = plt.subplots(2, 2, figsize=(11, 7.5))
    names, _, parts = zip(*reversed(reports.by_item(database, shop.sold)), strict=True)
    rates.barh(names, [100 * each for each in parts], color="tab:blue")
    rates.set_title("Units returned, % of units sold")

    percents = range(1, 101)
    days.plot(reports.days_to_refund(database, *percents), percents, color="tab:blue")
    days.set_title("Refunds paid, %, by days since the request")
    days.set_xlim(0, 45)

    euros = sorted((n / 100, name) for currency, name, n in reports.money_kept(database) if currency == "eur")
    kept.barh([name for _, name in euros], [amount for amount, _ in euros], color="tab:green")
    kept.set_title("Money kept, EUR")

    found = reports.open_liability(database, TODAY)
    ages = sorted([row for row in found.items() if row[0][0] == "eur"], key=oldest_last)
    bottoms = [0.0] * len(ages)
    for index, (label, color) in enumerate(
        [("due and not paid", "tab:red"), ("on its way", "tab:orange"), ("expected", "tab:gray")]
    ):
        heights = [amounts[index] / 100 for _, amounts in ages]
        liability.bar([up_to(age) for (_, age), _ in ages], heights, bottom=bottoms, label=label, color=color)
        bottoms = [a + b for a, b in zip(bottoms, heights, strict=True)]
    liability.set_title("Open liability by age in days, EUR")
    liability.legend()
    for each in (rates, days, kept, liability):
        each.spines[["top", "right"]].set_visible(False)
    picture.suptitle(f"{shop.requested:,} simulated returns, seed {shop.seed}")
    picture.tight_layout()
    picture.savefig(path, dpi=90, metadata={"Software": None})


def main() -> None:
    """Simulates, prints the figures, and writes page and picture if the number of returns is the page's."""
    returns = int(sys.argv[1]) if len(sys.argv) > 1 else RETURNS
    shop = Shop()
    began = perf_counter()
    database = sqlite3.connect(":memory:")
    database.executescript(reports.SCHEMA)
    moved: Counter[str] = Counter()
    for number, _ in enumerate(simulate(shop, database, returns), start=1):
        moved += shop.moved()
        database.execute("DELETE FROM events")  # their rows are written, and they take a kilobyte each
        print(f"\r{number * BATCH:,}", end="", file=sys.stderr, flush=True)
    paid = dict(database.execute("SELECT currency, SUM(paid) FROM accounts GROUP BY currency"))
    assert paid == moved, (paid, moved)
    text = figures(database, shop)
    seconds = perf_counter() - began
    print(f"\n{text}\n\nrefused: {shop.refused}\n{seconds:.0f} s, Python {platform.python_version()}")
    if returns == RETURNS:
        page = ROOT / "docs" / "reports.md"
        part = f"<!-- simulated -->\n{text}\n<!-- end of simulated -->"
        before = page.read_text("utf-8")
        after = re.sub(
            r"<!-- simulated -->.*<!-- end of simulated -->", lambda _: part, before, flags=re.DOTALL
        )
        page.write_text(after, "utf-8")
        draw(database, shop, ROOT / "docs" / "pictures" / "reports.png")


if __name__ == "__main__":
    main()
