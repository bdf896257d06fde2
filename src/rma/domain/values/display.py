"""How errors show a value that may be anything: short, quoted where it is a string, and never failing."""

#: From this length on, a value is cut where an error shows it.
MAX_SHOWN = 100

#: Python refuses to write longer integers as decimals.
MAX_DIGITS = 4300
_TOO_LONG: int = 10**MAX_DIGITS


def is_writable(number: int) -> bool:
    """True for integers that Python writes as decimals."""
    return -_TOO_LONG < number < _TOO_LONG


def show(value: object) -> str:
    """
    The `repr` of any value, cut to a bearable length.

    >>> from rma.domain.values.display import show
    >>> show("1"), show(1), show("x" * 500)[-22:]
    ("'1'", '1', "xxx… (500 characters)'")
    """
    if isinstance(value, str) and len(value) > MAX_SHOWN:
        return repr(f"{value[:MAX_SHOWN]}… ({len(value)} characters)")
    if isinstance(value, int) and not is_writable(value):
        return f"an integer of more than {MAX_DIGITS} digits"
    try:
        written = repr(value)
    except Exception:  # a value of any class, which may not even have a repr
        return name_kind(value)
    return written if len(written) <= MAX_SHOWN else f"{written[:MAX_SHOWN]}…"


def name_kind(value: object) -> str:
    """
    What kind of value this is, as a sentence names it.

    >>> from rma.domain.values.display import name_kind
    >>> name_kind({}), name_kind(int), name_kind(None), name_kind(5)
    ('a dict', 'the class int', 'None', 'an int')
    """
    if value is None:
        return "None"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return with_article(type(value).__name__)


def with_article(name: str) -> str:
    """
    The name of a class with its article.

    >>> from rma.domain.values.display import with_article
    >>> with_article("RequestedItem"), with_article("Order")
    ('a RequestedItem', 'an Order')
    """
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
