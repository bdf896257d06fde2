"""The examples run and print what a shop owner needs to know."""

import runpy
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent.parent / "examples"


def test_the_quickstart_prints_its_returns(capsys: pytest.CaptureFixture[str]) -> None:
    """
    The quickstart prints each return with amounts, stock and refunds, and the same output in every run.
    """
    runpy.run_path(str(EXAMPLES / "quickstart.py"), run_name="__main__")
    first = capsys.readouterr().out
    runpy.run_path(str(EXAMPLES / "quickstart.py"), run_name="__main__")

    assert capsys.readouterr().out == first
    mug, others = first.split("Order order_basket")
    basket, shoes = others.split("Order order_shoes")
    for expected in (
        "customer Ada requests a return\n",
        '1 x Medusa Coffee Mug (Damaged goods; "The handle is broken.")',
        "expected refund: 78.00 USD",
        "80.00 USD  Medusa Coffee Mug\n              -2.00 USD  return shipping",
        "stock: +1 Medusa Coffee Mug at warehouse",
        "78.00 USD to the card: succeeded",
        "goods returned, money partially refunded, 2.00 USD kept by the shop",
    ):
        assert expected in mug
    for expected in (
        "Shirt: 1 fit for sale and 1 damaged",
        "50.00 USD to the gift card: succeeded",
        "15.48 USD to the card: succeeded",
        "80.40 USD to the card: succeeded",
        "87.23 USD  Shirt",
        "7.00 USD  tax vat",
        "2.00 USD kept by the shop",
    ):
        assert expected in basket
    for expected in (
        "customer Fay requests a return, which waits for approval",
        "1 x Shoes (Too big; rule: change of mind, until 22 Mar 2026)",
        "expected refund: 126.05 USD",
        "-17.85 USD  fee restocking\n                 -15.00 USD  price\n",
        "4.90 USD  charge express",
        "clerk Cy approves it: Please send the box, too.",
        "customer Fay sends it: parcel 1Z-7",
        "126.05 USD to the card: succeeded",
    ):
        assert expected in shoes
