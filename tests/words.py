"""
Finds words that this project does not use, each with the word to use instead.

    python -m tests.words [paths]

It prints `file:line: word -> replacement` for each, then their number. Without paths it reads the whole
project except the changelog, which has to name what was renamed.

Some words are fine in prose and wrong as names, or the other way round. Prose is Markdown, docstrings,
comments and messages; names are the code, in backticks and after prompts as well. The name of a function or
class is also read as prose: `test_nobody_waits` says nobody.
"""

import io
import re
import sys
import tokenize
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).resolve().parent.parent

#: Where words are looked for, without paths.
PLACES = (
    "src", "tests", "examples", "benchmarks", "docs", "README.md", "CONTRIBUTING.md", "conftest.py",
)  # fmt: skip

#: These have to name the words themselves.
EXCEPTIONS = ("tests/words.py", "tests/test_words.py")

#: Patterns of words in prose, and what to write instead. A space is any white space.
PROSE = {
    r"can not": "cannot",
    r"(?:an?|this|that|one|each|any|every|another|no|whole) text": "string",
    r"texts": "strings",
    r"whole numbers?": "integer",
    r"journeys?": "round trip",
    r"call(?:s|ed|ing)?(?: it| them| one| this| that)? off": "cancel",
    r"came(?! (?:from|before|after|first|last|second|third|later|too)\b)": "arrived, was received, returned",
    r"anew": "again",
    r"told": "reported, returned, rendered, given",
    r"somebody(?: else)?(?:'s)?": "another process, another customer, a person",
    r"nobody(?:'s)?": "no one, or name who does not",
    r"whoever|whosoever": "the caller, the process that",
    r"stands(?! for\b)": "is",
    r"(?:makes?|made|making) (?:\w+ )?good(?! use\b)": "compensate",
    r"the outside(?! of\b)": "ports",
    r"(?<!there.)(?:is|are|was|were) no(?! (?:longer|more|less|one|other|such|need)\b)(?= \w)": "is not an X",
    r"announced?(?:s|ing)?": "expected",
    r"spoken for": "reserved",
    r"sent back": "returned to customer; returned, if it is an answer",
    r"(?<!random.)seeds(?:\.md)?": "medusa-parity, for what Medusa does",
    r"settl(?:e|es|ed|ing|ements?)": "record an outcome; settlement is when banks move money",
    r"(?:un)?keyed(?= gateways?\b)": "idempotent, not idempotent",
    r"(?:come|comes|came|coming) to rest": "quiesce",
    r"the weather": "the fault plan",
    r"rehears(?:e|ed|es|als?)": "core harness",
}

#: Names, and what to call such things instead.
NAMES = {
    "Keyed": "Idempotent", "LookedUp": "Searchable", "Unkeyed": "NotIdempotent",
    "Part": "AmountPart", "Entry": "TimelineEntry", "Resumed": "ResumeResult",
    "Answered": "IdempotencyRecord", "Ids": "IdFactory", "Policies": "PolicyProvider",
    "as_policies": "as_policy_provider",
    "granted": "entitled_amount", "named_amount": "agreed_refund",
    "is_blocked": "is_refund_blocked", "taken_quantity": "allocated_quantity",
    "held_quantities": "reserved_quantities", "announced": "expected",
    "sent_back_quantity": "returned_to_customer_quantity", "worth": "value", "sums": "running_sums",
    "Settlement": "EffectOutcome", "settlements": "outcomes", "EffectsSettled": "EffectsAttempted",
    "settle": "record_outcomes", "settlement": "outcome", "settled": "recorded",
    "notice_id": "notification_id", "Happening": "DomainEvent", "Concerning": "SubjectEvent",
    "ByCommand": "CommandEvent", "OfReturn": "ReturnCommand, ReturnEvent",
    "OfExchange": "ExchangeCommand, ExchangeEvent", "OfClaim": "ClaimCommand, ClaimEvent",
    "tell_return": "return_response", "tell_returns": "returns_response", "tell_order_of": "order_response",
    "tell_reasons": "reasons_response", "tell_reason": "reason_response",
    "Step": "DeliveryAction, Action", "Steps": "coroutines", "STEPS": "ACTIONS",
    "Place": "Connector, SortKey, index", "PLACE": "SORT_KEY, TOKEN", "place_of": "sort_key",
    "Books": "GatewayModel", "Weather": "FaultPlan", "Rehearsal": "CoreHarness",
    "come_to_rest": "quiesce", "live_through": "simulate_commands", "the_weather_changes": "change_faults",
    "LAWS": "INVARIANTS", "LAWS_AT_REST": "INVARIANTS_AT_REST", "Law": "Invariant",
    "LawBroken": "InvariantViolated", "Scene": "Snapshot", "scene": "snapshot",
    "faulty": "inject_faults", "watched_payments": "recording_payments", "none_about": "require",
    "well_formed": "check_items", "judged": "validate_request", "payable": "limit_to_refundable",
    "anew": "retry", "Came": "Arrivals", "came": "arrivals",
    "Kept": "Cache", "Ledgers": "Repository", "AsyncLedgers": "AsyncRepository",
    "this_worker": "worker_id", "within": "in_transaction",
}  # fmt: skip

_PROSE = [
    (re.compile(rf"\b(?:{word})\b".replace(" ", r"\s+"), re.IGNORECASE), to) for word, to in PROSE.items()
]
_NAMES = re.compile(rf"(?<![\w.\"'])(?:{'|'.join(NAMES)})(?!\w)")
_DEFINED = re.compile(r"(?<=\bdef )\w+|(?<=\bclass )\w+")
_BLOCK = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(`+)[^`]+\1")
_COMMENT = re.compile(r"#.*")
_PROMPT = re.compile(r"^\s*(?:>>>|\.\.\.).*", re.MULTILINE)
_STRINGS = {tokenize.STRING, getattr(tokenize, "FSTRING_MIDDLE", tokenize.STRING)}


@frozen(order=True)
class Finding:
    """A word that is not used here; `path` is relative to the project, lines count from 1."""

    path: str
    line: int
    word: str
    replacement: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word} -> {self.replacement}"


def find_words(path: str, source: str) -> Iterator[Finding]:
    """Yields the words in one file that this project does not use; `path` says whether it is Python."""
    prose, names = _split_python(source) if path.endswith(".py") else _split_markdown(source)
    for pattern, replacement in _PROSE:
        for match in pattern.finditer(prose):
            word = " ".join(match[0].split())
            yield Finding(path, source.count("\n", 0, match.start()) + 1, word, replacement)
    for match in _NAMES.finditer(names):
        yield Finding(path, source.count("\n", 0, match.start()) + 1, match[0], NAMES[match[0]])


def find_everywhere(paths: Sequence[str] = PLACES) -> list[Finding]:
    """The findings in these files and folders, in order; paths are relative to the project, or absolute."""
    return sorted(
        finding
        for file in _files(paths)
        if (name := file.relative_to(ROOT).as_posix()) not in EXCEPTIONS
        for finding in find_words(name, file.read_text())
    )


def _files(paths: Iterable[str]) -> Iterator[Path]:
    for path in paths:
        place = ROOT / path
        yield from [place] if place.is_file() else [*place.rglob("*.py"), *place.rglob("*.md")]


def _only(source: str, spans: Iterable[tuple[int, int]]) -> str:
    """The source with these spans of it, and blanks everywhere else, so that places stay the same."""
    blank = [character if character == "\n" else " " for character in source]
    for start, end in spans:
        blank[start:end] = source[start:end]
    return "".join(blank)


def _without(source: str, pattern: re.Pattern[str]) -> str:
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match[0]), source)


def _spans(pattern: re.Pattern[str], source: str) -> list[tuple[int, int]]:
    return [match.span() for match in pattern.finditer(source)]


def _split_markdown(source: str) -> tuple[str, str]:
    blocks = _only(source, _spans(_BLOCK, source))
    text = _without(source, _BLOCK)
    prose = _without(text, _SPAN)
    comments = _only(blocks, _spans(_COMMENT, blocks))
    names = _without(blocks, _COMMENT)
    spans = _only(text, _spans(_SPAN, text))
    return _merged(prose, comments), _merged(names, spans)


def _split_python(source: str) -> tuple[str, str]:
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    strings, names = _spans(_DEFINED, source), []
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        span = starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]
        if token.type == tokenize.COMMENT or (token.type in _STRINGS and re.search(r"\s", token.string)):
            strings.append(span)
        elif token.type == tokenize.NAME:
            names.append(span)
    prose = _only(source, strings)
    code = _only(source, [*_spans(_SPAN, prose), *_spans(_PROMPT, prose)])
    prose = _without(_without(prose, _PROMPT), _SPAN).replace("_", " ")
    return prose, _merged(_only(source, names), code)


def _merged(one: str, other: str) -> str:
    return "".join([left if left != " " else right for left, right in zip(one, other, strict=True)])


def main(paths: Sequence[str] = ()) -> int:
    """Prints the findings in these files and folders, and returns 1 if there are any."""
    findings = find_everywhere([str(Path(path).resolve()) for path in paths] or PLACES)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} words to replace")
    return int(bool(findings))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
